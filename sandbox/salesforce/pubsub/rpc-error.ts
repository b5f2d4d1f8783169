import { Metadata, type ServiceError, type status } from '@grpc/grpc-js'

/** A refusal of the Pub/Sub API: a gRPC status, with Salesforce's own code in the trailer. */
export function refusal(code: status, reason: string, message: string): ServiceError {
  const metadata = new Metadata()
  const errorCode = `sfdc.platform.eventbus.grpc.${reason}`
  metadata.set('error-code', errorCode)
  const details = `${message} error code: ${errorCode}`
  return Object.assign(new Error(details), { code, details, metadata })
}
