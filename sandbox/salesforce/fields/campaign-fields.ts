/** Campaign and its members, as an org without add-on licences has them. */
export const CAMPAIGN_FIELDS = `
@system
Name string:80 CUI
ParentId reference CUN >Campaign Parent ChildCampaigns
Type picklist CUN
Status picklist CUN
StartDate date CUN
EndDate date CUN
IsActive boolean CUD
Description textarea:32000 CUN
OwnerId reference CUD >User Owner
`

/** Whose and in which campaign it is never changes. */
export const CAMPAIGN_MEMBER_FIELDS = `
@system
CampaignId reference C >Campaign Campaign CampaignMembers
LeadId reference CN >Lead Lead CampaignMembers
ContactId reference CN >Contact Contact CampaignMembers
Status picklist CUN
HasResponded boolean D
FirstRespondedDate date N
`
