/** Lead, as an org without add-on licences has it. */
export const LEAD_FIELDS = `
@system
MasterRecordId reference N >Lead MasterRecord
LastName string:80 CU
FirstName string:40 CUN
Salutation picklist:40 CUN
Name string:121
Title string:128 CUN
Company string:255 CUN
@address
Phone phone:40 CUN
MobilePhone phone:40 CUN
Fax phone:40 CUN
Email email:80 CUNI
Website url:255 CUN
PhotoUrl url:255 N
Description textarea:32000 CUN
LeadSource picklist CUN
Status picklist CUD
Industry picklist CUN
Rating picklist CUN
AnnualRevenue currency CUN
NumberOfEmployees int CUN
OwnerId reference CUD >Group,User Owner
HasOptedOutOfEmail boolean CUD
HasOptedOutOfFax boolean CUD
IsConverted boolean CD
ConvertedDate date CN
ConvertedAccountId reference CN >Account ConvertedAccount
ConvertedContactId reference CN >Contact ConvertedContact
ConvertedOpportunityId reference CN >Opportunity ConvertedOpportunity
IsUnreadByOwner boolean CUD
LastActivityDate date N
LastViewedDate datetime N
LastReferencedDate datetime N
Jigsaw string:20 CUN
JigsawContactId string:20 N
CleanStatus picklist:40 CUNR
CompanyDunsNumber string:9 CUN
EmailBouncedReason string:255 UN
EmailBouncedDate datetime UN
IndividualId reference CUN >Individual Individual
IsPriorityRecord boolean DX
RecordTypeId reference CUN >RecordType RecordType
`
