/** Account, as an org without add-on licences has it. */
export const ACCOUNT_FIELDS = `
@system
MasterRecordId reference N >Account MasterRecord
Name string:255 CU
Type picklist CUN
ParentId reference CUN >Account Parent ChildAccounts
@address Billing
@address Shipping
Phone phone:40 CUN
Fax phone:40 CUN
AccountNumber string:40 CUN
Website url:255 CUN
PhotoUrl url:255 N
Sic string:20 CUN
SicDesc string:80 CUN
NaicsCode string:8 CUN
NaicsDesc string:120 CUN
Industry picklist CUN
AnnualRevenue currency CUN
NumberOfEmployees int CUN
Ownership picklist CUN
TickerSymbol string:20 CUN
Description textarea:32000 CUN
Rating picklist CUN
Site string:80 CUN
OwnerId reference CUD >User Owner
LastActivityDate date N
LastViewedDate datetime N
LastReferencedDate datetime N
IsPersonAccount boolean D
IsPriorityRecord boolean DX
Jigsaw string:20 CUN
JigsawCompanyId string:20 N
CleanStatus picklist:40 CUNR
AccountSource picklist CUN
DunsNumber string:9 CUN
Tradestyle string:255 CUN
YearStarted string:4 CUN
Salutation picklist:40 CUN
PersonIndividualId reference CUN >Individual PersonIndividual
RecordTypeId reference CUN >RecordType RecordType
`

/** What Account has besides when people can be accounts; they show the person's contact. */
export const PERSON_ACCOUNT_FIELDS = `
FirstName string:40 CUN
LastName string:80 CUN
PersonContactId reference N >Contact PersonContact
PersonEmail email:80 CUNI
PersonTitle string:80 CUN
PersonMobilePhone phone:40 CUN
PersonHasOptedOutOfEmail boolean CUD
`

/** Fields of a person account and what they are called on its contact. */
export const PERSON_MIRROR: readonly (readonly [account: string, contact: string])[] = [
  ['FirstName', 'FirstName'],
  ['LastName', 'LastName'],
  ['Salutation', 'Salutation'],
  ['PersonEmail', 'Email'],
  ['PersonTitle', 'Title'],
  ['PersonMobilePhone', 'MobilePhone'],
  ['PersonHasOptedOutOfEmail', 'HasOptedOutOfEmail'],
  ['Phone', 'Phone'],
]
