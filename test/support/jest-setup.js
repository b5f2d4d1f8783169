import { prepareServers } from './global-setup.ts'

export default prepareServers
