/** Every check, in the order in which what they find is to be mended. */
import type { Check } from '../check.ts'
import { agent } from './agent.ts'
import { clock } from './clock.ts'
import { configuration } from './configuration.ts'
import { keys } from './keys.ts'
import { membership } from './membership.ts'
import { peers } from './peers.ts'
import { ports } from './ports.ts'
import { sandbox } from './sandbox.ts'
import { statusList } from './status-list.ts'

export const CHECKS: readonly Check[] = [
  configuration,
  keys,
  agent,
  sandbox,
  clock,
  membership,
  statusList,
  ports,
  peers
]
