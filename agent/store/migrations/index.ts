/** Every version of the schema, in order. */
import { exchange } from './0001-exchange.ts'
import { standing } from './0002-standing.ts'
import { log } from './0003-log.ts'
import { nonceOfRequest } from './0004-nonce-of-request.ts'
import { exchangeEnded } from './0005-exchange-ended.ts'
import { approvals } from './0006-approvals.ts'
import { approvalsByAgreement } from './0007-approvals-by-agreement.ts'
import { agreementLife } from './0008-agreement-life.ts'
import { releasedGroups } from './0009-released-groups.ts'
import { audit } from './0010-audit.ts'
import { standingOffers } from './0011-standing-offers.ts'
import type { Migration } from './migration.ts'

export type { Migration } from './migration.ts'
export const MIGRATIONS: readonly Migration[] = [
  exchange,
  standing,
  log,
  nonceOfRequest,
  exchangeEnded,
  approvals,
  approvalsByAgreement,
  agreementLife,
  releasedGroups,
  audit,
  standingOffers
]
