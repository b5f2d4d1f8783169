import { Client } from '@hubspot/api-client'
import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { openRawCalls } from './raw-calls.ts'

/** HubSpot's names of the objects in paths. */
export const OBJECT_PATHS: Readonly<Record<CrmObject, 'contacts' | 'companies'>> = {
  contact: 'contacts',
  company: 'companies',
}

/** Objects that are read besides, by their names in paths. */
export type OtherPath = 'tasks' | 'deals' | 'calls' | 'emails' | 'meetings' | 'notes'

/** The parts of the official client that are used. */
export type HubspotApis = ReturnType<typeof openHubspotApis>

/**
 * Opens the official client with its own retries and limiter off.
 * Its decorators live in one place for the whole process and are taken over when a part is first
 * touched, so every part is touched here: no client that is built later can change this one.
 */
export function openHubspotApis(baseUrl: URL) {
  const basePath = baseUrl.href.replace(/\/+$/, '')
  // The transport puts the token of the moment into each call.
  const { crm } = new Client({ accessToken: 'none', basePath, numberOfApiCallRetries: 0 })
  return {
    record: crm.objects.basicApi,
    records: crm.objects.batchApi,
    search: crm.objects.searchApi,
    properties: crm.properties.coreApi,
    propertyBatch: crm.properties.batchApi,
    propertyGroups: crm.properties.groupsApi,
    associations: crm.associations.v4.batchApi,
    owners: crm.owners.ownersApi,
    pipelines: crm.pipelines.pipelinesApi,
    raw: openRawCalls(basePath),
  }
}
