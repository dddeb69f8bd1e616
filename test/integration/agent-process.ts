/** One agent in a process of its own, so that it can be killed or held: `agent-process.ts CONFIG INSTALLATION`. */
import { loadAgentConfig } from '../../agent/config/index.ts'
import { type Installation, startAgent } from '../../agent/daemon/index.ts'

const [, , file = '', installed = '{}'] = process.argv
const installation: Installation = JSON.parse(installed)
const agent = await startAgent(await loadAgentConfig(file), installation)
process.once('SIGTERM', () => void agent.stop(20_000).then(() => process.exit(0)))
process.stdout.write('ready\n')
