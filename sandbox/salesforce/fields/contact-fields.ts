/** Contact, as an org without add-on licences has it. */
export const CONTACT_FIELDS = `
@system
MasterRecordId reference N >Contact MasterRecord
AccountId reference CUN >Account Account Contacts
LastName string:80 CU
FirstName string:40 CUN
Salutation picklist:40 CUN
Name string:121
@address Other
@address Mailing
Phone phone:40 CUN
Fax phone:40 CUN
MobilePhone phone:40 CUN
HomePhone phone:40 CUN
OtherPhone phone:40 CUN
AssistantPhone phone:40 CUN
ReportsToId reference CUN >Contact ReportsTo
Email email:80 CUNI
Title string:128 CUN
Department string:80 CUN
AssistantName string:40 CUN
LeadSource picklist CUN
Birthdate date CUN
Description textarea:32000 CUN
OwnerId reference CUD >User Owner
HasOptedOutOfEmail boolean CUD
HasOptedOutOfFax boolean CUD
DoNotCall boolean CUD
CanAllowPortalSelfReg boolean CUD
LastActivityDate date N
LastViewedDate datetime N
LastReferencedDate datetime N
EmailBouncedReason string:255 CUN
EmailBouncedDate datetime CUN
IsEmailBounced boolean D
IsPersonAccount boolean D
IsPriorityRecord boolean DX
PhotoUrl url:255 N
Jigsaw string:20 CUN
JigsawContactId string:20 N
CleanStatus picklist:40 CUNR
IndividualId reference CUN >Individual Individual
RecordTypeId reference CUN >RecordType RecordType
`
