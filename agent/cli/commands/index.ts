/** Every command: its words and options here, its work in handlers that are loaded when it is called. */
import type { Register } from '../options.ts'
import { agentCommand } from './agent/index.ts'
import { agreementCommand } from './agreement/index.ts'
import { approvalsCommand } from './approvals/index.ts'
import { auditCommand } from './audit/index.ts'
import { datasetCommands } from './dataset/index.ts'
import { doctorCommand } from './doctor/index.ts'
import { explainCommand } from './explain/index.ts'
import { initCommand } from './init/index.ts'
import { labCommand } from './lab/index.ts'
import { marketplaceCommand } from './marketplace/index.ts'
import { networkCommands } from './network/index.ts'
import { policyCommand } from './policy/index.ts'
import { requestCommands } from './request/index.ts'

export const COMMANDS: readonly Register[] = [
  initCommand,
  agentCommand,
  marketplaceCommand,
  datasetCommands,
  networkCommands,
  agreementCommand,
  approvalsCommand,
  policyCommand,
  auditCommand,
  requestCommands,
  explainCommand,
  doctorCommand,
  labCommand
]
