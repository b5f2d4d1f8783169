/** Told by its fields and not by its class: errors of the HTTP modules may come from another realm. */
export function systemError(cause: unknown): { code: string; syscall: string | null } {
  if (typeof cause !== 'object' || cause === null) return { code: 'unknown', syscall: null }
  if ('errors' in cause && Array.isArray(cause.errors) && cause.errors.length > 0) {
    return systemError(cause.errors[0])
  }
  const name = 'name' in cause && typeof cause.name === 'string' ? cause.name : 'unknown'
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : name
  const syscall = 'syscall' in cause && typeof cause.syscall === 'string' ? cause.syscall : null
  return { code, syscall }
}

/** Only an error of the operating system is kept: others may hold what was sent. */
export function systemCause(cause: unknown): { cause?: unknown } {
  return systemError(cause).syscall === null ? {} : { cause }
}

export function isCertificateCode(code: string): boolean {
  return /^(CERT_|ERR_TLS_CERT|UNABLE_TO_(?!LOCK)|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_)/.test(code)
}
