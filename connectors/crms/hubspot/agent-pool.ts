import http from 'node:http'
import https from 'node:https'

/** Shorter than the idle limit of the servers and proxies on the way, so that no dead connection is reused. */
const IDLE_SOCKET_MS = 4_000

/** The right to one connection. */
export interface AgentLease {
  readonly agent: http.Agent
  /** Gives the connection back for the next call. */
  release(): void
  /** Breaks the connection: a call under way ends at once and can no longer reach the vendor. */
  abort(): void
}

/**
 * Kept-alive connections, one for each call at a time.
 * The HubSpot client takes no AbortSignal, but it takes an agent: an agent that serves one call can
 * be destroyed, and the call with it.
 */
export function createAgentPool(protocol: 'http:' | 'https:'): { lease(): AgentLease } {
  const options = { keepAlive: true, maxSockets: 1, timeout: IDLE_SOCKET_MS }
  const idle: http.Agent[] = []
  const create = () => (protocol === 'https:' ? new https.Agent(options) : new http.Agent(options))
  return {
    lease() {
      const agent = idle.pop() ?? create()
      return { agent, release: () => void idle.push(agent), abort: () => agent.destroy() }
    },
  }
}
