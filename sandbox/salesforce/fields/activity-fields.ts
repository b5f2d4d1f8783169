const WHAT = 'Account,Campaign,Opportunity'

/** Task, as an org without add-on licences has it. */
export const TASK_FIELDS = `
@system
WhoId reference CUN >Contact,Lead Who Tasks
WhatId reference CUN >${WHAT} What Tasks
WhoCount int N
WhatCount int N
Subject combobox:255 CUN
ActivityDate date CUN
Status picklist CUD
Priority picklist CUD
IsHighPriority boolean D
OwnerId reference CUD >Group,User Owner
Description textarea:32000 CUN
Type picklist CUN
AccountId reference N >Account Account
IsClosed boolean D
IsArchived boolean D
IsVisibleInSelfService boolean CUD
CallDurationInSeconds int CUN
CallType picklist:40 CUNR
CallDisposition string:255 CUN
CallObject string:255 CUN
ReminderDateTime datetime CUN
IsReminderSet boolean CUD
CompletedDateTime datetime N
RecurrenceActivityId reference N >Task RecurrenceActivity
IsRecurrence boolean CD
RecurrenceStartDateOnly date CUN
RecurrenceEndDateOnly date CUN
RecurrenceTimeZoneSidKey picklist:40 CUNR
RecurrenceType picklist:40 CUNR
RecurrenceInterval int CUN
RecurrenceDayOfWeekMask int CUN
RecurrenceDayOfMonth int CUN
RecurrenceInstance picklist:40 CUNR
RecurrenceMonthOfYear picklist:40 CUNR
RecurrenceRegeneratedType picklist:40 CUNR
TaskSubtype picklist:40 CNR
`

export const EVENT_FIELDS = `
@system
WhoId reference CUN >Contact,Lead Who Events
WhatId reference CUN >${WHAT} What Events
WhoCount int N
WhatCount int N
Subject combobox:255 CUN
Location string:255 CUN
IsAllDayEvent boolean CUD
ActivityDateTime datetime CUN
ActivityDate date CUN
DurationInMinutes int CUN
StartDateTime datetime CUN
EndDateTime datetime CUN
EndDate date N
Description textarea:32000 CUN
AccountId reference N >Account Account
OwnerId reference CUD >User Owner
Type picklist CUN
IsPrivate boolean CUD
ShowAs picklist:40 CUDNR
IsArchived boolean D
IsChild boolean D
IsGroupEvent boolean D
ReminderDateTime datetime CUN
IsReminderSet boolean CUD
EventSubtype picklist:40 CNR
`

/** The e-mails themselves, in orgs with Enhanced Email; each belongs to a task. */
export const EMAIL_MESSAGE_FIELDS = `
@system
ActivityId reference CN >Task Activity
Incoming boolean CD
MessageDate datetime CUN
Subject string:3000 CUN
RelatedToId reference CUN >Account,Campaign,Opportunity RelatedTo
`

export const STATUS_FIELDS = `
@system
MasterLabel string:255 N
ApiName string:255 I
SortOrder int N
IsDefault boolean D
`
