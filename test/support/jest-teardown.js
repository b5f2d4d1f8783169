import { removeServers } from './global-setup.ts'

export default removeServers
