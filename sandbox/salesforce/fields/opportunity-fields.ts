/** Opportunity, as an org without add-on licences has it. */
export const OPPORTUNITY_FIELDS = `
@system
AccountId reference CUN >Account Account Opportunities
IsPrivate boolean CUD
Name string:120 CUI
Description textarea:32000 CUN
StageName picklist CU
Amount currency:2 CUN
Probability percent CUDN
ExpectedRevenue currency:2 N
TotalOpportunityQuantity double CUN
CloseDate date CU
Type picklist CUN
NextStep string:255 CUN
LeadSource picklist CUN
IsClosed boolean D
IsWon boolean D
ForecastCategory picklist:40 R
ForecastCategoryName picklist CUDNR
CampaignId reference CUN >Campaign Campaign Opportunities
HasOpportunityLineItem boolean D
Pricebook2Id reference CUDN >Pricebook2 Pricebook2
OwnerId reference CUD >User Owner
PushCount int N
LastStageChangeDate datetime N
FiscalQuarter int N
FiscalYear int N
Fiscal string:6 N
ContactId reference CN >Contact Contact
ContractId reference CUN >Contract Contract
LastActivityDate date N
LastViewedDate datetime N
LastReferencedDate datetime N
HasOpenActivity boolean DX
HasOverdueTask boolean DX
LastAmountChangedHistoryId reference N >OpportunityHistory LastAmountChangedHistory
LastCloseDateChangedHistoryId reference N >OpportunityHistory LastCloseDateChangedHistory
IsPriorityRecord boolean DX
RecordTypeId reference CUN >RecordType RecordType
`

export const CONTACT_ROLE_FIELDS = `
@system
OpportunityId reference C >Opportunity Opportunity OpportunityContactRoles
ContactId reference CU >Contact Contact OpportunityContactRoles
Role picklist:40 CUN
IsPrimary boolean CUD
`

export const OPPORTUNITY_HISTORY_FIELDS = `
Id id:18 DI
IsDeleted boolean D
OpportunityId reference >Opportunity Opportunity OpportunityHistories
CreatedById reference D >User CreatedBy
CreatedDate datetime D
SystemModstamp datetime D
StageName picklist
Amount currency:2 N
ExpectedRevenue currency:2 N
CloseDate date N
Probability percent N
ForecastCategory picklist:40
PrevAmount currency:2 N
PrevCloseDate date N
`

export const FIELD_HISTORY_FIELDS = `
Id id:18 DI
IsDeleted boolean D
OpportunityId reference >Opportunity Opportunity Histories
CreatedById reference D >User CreatedBy
CreatedDate datetime D
Field picklist
DataType string:255 N
OldValue string:255 NX
NewValue string:255 NX
`

export const OPPORTUNITY_STAGE_FIELDS = `
@system
MasterLabel string:255 N
ApiName string:255 I
IsActive boolean D
SortOrder int N
IsClosed boolean D
IsWon boolean D
ForecastCategory picklist:40
ForecastCategoryName picklist
DefaultProbability percent N
Description string:255 N
`
