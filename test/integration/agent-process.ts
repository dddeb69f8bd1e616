/** One agent in a process of its own, so that it can be killed or held: `agent-process.ts CONFIG`. */
import { loadAgentConfig } from '../../agent/config/index.ts'
import { startAgent } from '../../agent/daemon/index.ts'

const [, , file = ''] = process.argv
const agent = await startAgent(await loadAgentConfig(file))
process.once('SIGTERM', () => void agent.stop(20_000).then(() => process.exit(0)))
process.stdout.write('ready\n')
