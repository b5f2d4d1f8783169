import { describeCrmContract } from './crm-contract.ts'
import { startSalesforceSubject } from './salesforce-subject.ts'

describeCrmContract('Salesforce', () => startSalesforceSubject())
