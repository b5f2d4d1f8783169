const PERMISSIONS = `
CallCenterAutoLogin ChatterAnswersUser InteractionUser JigsawProspectingUser KnowledgeUser
LiveAgentUser MarketingUser OfflineUser SFContentUser SiteforceContributorUser
SiteforcePublisherUser SupportUser WirelessUser WorkDotComUserFeature`

const PREFERENCES = `
ActivityRemindersPopup AgentGdprConsent AllowConversationReminders ApexPagesDeveloperMode
AutoForwardCall ContentEmailAsAndWhen ContentNoEmail DisCommentAfterLikeEmail
DisMentionsCommentEmail DisProfPostCommentEmail DisableAllFeedsEmail DisableAutoSubForFeeds
DisableBookmarkEmail DisableChangeCommentEmail DisableEndorsementEmail DisableFeedbackEmail
DisableFileShareNotificationsForApi DisableFollowersEmail DisableLaterCommentEmail
DisableLikeEmail DisableMentionsPostEmail DisableMessageEmail DisableProfilePostEmail
DisableRewardEmail DisableSharePostEmail DisableWorkEmail EnableAutoSubForFeeds
EnableVoiceCallRecording EnableVoiceLocalPresence EventRemindersCheckboxDefault
HideBiggerPhotoCallout HideCSNDesktopTask HideCSNGetChatterMobileTask
HideChatterOnboardingSplash HideEndUserOnboardingAssistantModal HideLightningMigrationModal
HideS1BrowserUI HideSecondChatterOnboardingSplash HideSfxWelcomeMat JigsawListUser
LightningExperiencePreferred LiveAgentMiawSetupDeflection NativeEmailClient OptOutOfTouch
OutboundBridge PathAssistantCollapsed ProcessAssistantCollapsed
ReceiveNoNotificationsAsApprover ReceiveNotificationsAsDelegatedApprover ReminderSoundOff
ShowCityToExternalUsers ShowCityToGuestUsers ShowCountryToExternalUsers
ShowCountryToGuestUsers ShowEmailToExternalUsers ShowEmailToGuestUsers ShowFaxToExternalUsers
ShowFaxToGuestUsers ShowManagerToExternalUsers ShowManagerToGuestUsers
ShowMobilePhoneToExternalUsers ShowMobilePhoneToGuestUsers ShowPostalCodeToExternalUsers
ShowPostalCodeToGuestUsers ShowProfilePicToGuestUsers ShowStateToExternalUsers
ShowStateToGuestUsers ShowStreetAddressToExternalUsers ShowStreetAddressToGuestUsers
ShowTitleToExternalUsers ShowTitleToGuestUsers ShowWorkPhoneToExternalUsers
ShowWorkPhoneToGuestUsers SortFeedByComment SuppressEventSFXReminders
SuppressTaskSFXReminders TaskRemindersCheckboxDefault UserDebugModePref`

const flags = (prefix: string, names: string): string =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `${prefix}${name} boolean CU`)
    .join('\n')

/** User, as an org without add-on licences has it. */
export const USER_FIELDS = `
Id id:18 DI
Username string:80 CUI
LastName string:80 CU
FirstName string:40 CUN
Name string:121
CompanyName string:80 CUN
Division string:80 CUN
Department string:80 CUN
Title string:80 CUN
@address
Email email:128 CUI
EmailPreferencesAutoBcc boolean CU
SenderEmail email:80 CUN
SenderName string:80 CUN
Signature textarea:1333 CUN
Phone phone:40 CUN
Fax phone:40 CUN
MobilePhone phone:40 CUN
Extension phone:40 CUN
Alias string:8 CU
CommunityNickname string:40 CU
BadgeText string:80 N
IsActive boolean CUD
TimeZoneSidKey picklist:40 CUR
UserRoleId reference CUN >UserRole UserRole
LocaleSidKey picklist:40 CUR
ReceivesInfoEmails boolean CUD
ReceivesAdminInfoEmails boolean CUD
EmailEncodingKey picklist:40 CUR
ProfileId reference CU >Profile Profile
UserType picklist:40 NR
StartDay picklist:40 CUNR
EndDay picklist:40 CUNR
LanguageLocaleKey picklist:40 CUR
EmployeeNumber string:20 CUN
DelegatedApproverId reference CUN >User,Group DelegatedApprover
ManagerId reference CUN >User Manager
LastLoginDate datetime N
CreatedDate datetime D
CreatedById reference D >User CreatedBy
LastModifiedDate datetime D
LastModifiedById reference D >User LastModifiedBy
SystemModstamp datetime D
PasswordExpirationDate datetime N
NumberOfFailedLogins int N
SuAccessExpirationDate date N
OfflineTrialExpirationDate datetime N
ForecastEnabled boolean CUD
ContactId reference CUN >Contact Contact
AccountId reference N >Account Account
CallCenterId reference CUN >CallCenter CallCenter
FederationIdentifier string:512 CUNI
AboutMe textarea:1000 CUN
CurrentStatus textarea:1000 CUN
FullPhotoUrl url:1024 N
SmallPhotoUrl url:1024 N
MediumBannerPhotoUrl url:1024 N
SmallBannerPhotoUrl url:1024 N
BannerPhotoUrl url:1024 N
IsProfilePhotoActive boolean D
HasUserVerifiedEmail boolean D
HasUserVerifiedPhone boolean D
DigestFrequency picklist:40 CUDR
DefaultGroupNotificationFrequency picklist:40 CUDR
JigsawImportLimitOverride int CUN
LastViewedDate datetime N
LastReferencedDate datetime N
IndividualId reference CUN >Individual Individual
${flags('UserPermissions', PERMISSIONS)}
${flags('UserPreferences', PREFERENCES)}
`

export const GROUP_FIELDS = `
Id id:18 DI
Name string:40 CU
DeveloperName string:80 CUN
RelatedId reference N >User,UserRole Related
Type picklist:40 CR
Email email:80 CUN
OwnerId reference D >User,Organization Owner
CreatedDate datetime D
CreatedById reference D >User CreatedBy
LastModifiedDate datetime D
LastModifiedById reference D >User LastModifiedBy
SystemModstamp datetime D
`

export const QUEUE_SOBJECT_FIELDS = `
Id id:18 DI
QueueId reference C >Group Queue QueueSobjects
SobjectType picklist:40 CR
CreatedById reference D >User CreatedBy
SystemModstamp datetime D
`

export const RECORD_TYPE_FIELDS = `
Id id:18 DI
Name string:80 CU
DeveloperName string:80 CU
SobjectType picklist:40 CR
IsActive boolean CUD
Description string:255 CUN
CreatedDate datetime D
CreatedById reference D >User CreatedBy
LastModifiedDate datetime D
LastModifiedById reference D >User LastModifiedBy
SystemModstamp datetime D
`

export const ORGANIZATION_FIELDS = `
Id id:18 DI
Name string:80
OrganizationType picklist:40 N
IsSandbox boolean
InstanceName string:5 N
NamespacePrefix string:15 N
TimeZoneSidKey picklist:40
LanguageLocaleKey picklist:40
DefaultLocaleSidKey picklist:40
FiscalYearStartMonth int N
CreatedDate datetime D
CreatedById reference D >User CreatedBy
LastModifiedDate datetime D
LastModifiedById reference D >User LastModifiedBy
SystemModstamp datetime D
`
