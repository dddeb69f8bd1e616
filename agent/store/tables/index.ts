/** What is kept, one file for each kind. */
import type { Connection } from '../connection.ts'
import { type AgreementLife, agreementLifeOn } from './agreement-life.ts'
import { type Agreements, agreementsOn } from './agreements.ts'
import { type Approvals, approvalsOn } from './approvals.ts'
import { type Checkpoints, checkpointsOn } from './checkpoints.ts'
import { type Datasets, datasetsOn } from './datasets.ts'
import { type Documents, documentsOn } from './documents.ts'
import { type Events, eventsOn } from './events.ts'
import { type Exchanges, exchangesOn } from './exchanges.ts'
import { type Log, type LogEnd, logOn } from './log.ts'
import { type Memberships, membershipsOn } from './memberships.ts'
import { type Nonces, noncesOn } from './nonces.ts'
import { type Openings, openingsOn } from './openings.ts'
import { type PeerPositions, peerPositionsOn } from './peer-positions.ts'
import { type Quota, quotaOn } from './quota.ts'
import { type ReleasedGroups, releasedGroupsOn } from './released-groups.ts'
import { type Requests, requestsOn } from './requests.ts'
import { type Rulesets, rulesetsOn } from './rulesets.ts'
import { type Settings, settingsOn } from './settings.ts'
import { type StandingOffers, standingOffersOn } from './standing-offers.ts'
import { type Work, workOn } from './work.ts'

export type {
  AgreementLife,
  DeliveryKind,
  StoredDelivery,
  StoredRefusal,
  StoredRevocation
} from './agreement-life.ts'
export type { AgreementState, Agreements, StoredAgreement } from './agreements.ts'
export type { ApprovalRowState, Approvals, AskedApproval, StoredApproval } from './approvals.ts'
export type { Checkpoints } from './checkpoints.ts'
export type { DatasetSource, Datasets, StoredDataset } from './datasets.ts'
export type { Documents, StoredDocument } from './documents.ts'
export type { Events, StoredEvent } from './events.ts'
export type { ExchangeRole, Exchanges, StoredExchange } from './exchanges.ts'
export { LOG_WRITER, type Log, type LogEnd, type NewLine, type StoredLine } from './log.ts'
export type { Memberships } from './memberships.ts'
export type { Nonces } from './nonces.ts'
export type { Openings, StoredOpening } from './openings.ts'
export type { PeerPosition, PeerPositions } from './peer-positions.ts'
export type { Quota, QuotaUse } from './quota.ts'
export type { GroupUnits, ReleasedGroup, ReleasedGroups, ReleaseTo } from './released-groups.ts'
export type { NewRequest, Requests, StoredRequest } from './requests.ts'
export type { Rulesets, StoredRuleset } from './rulesets.ts'
export type { Settings } from './settings.ts'
export type { StandingOffers, StoredOffer, StoredTaker } from './standing-offers.ts'
export type { StoredWork, Work, WorkStatus } from './work.ts'

export interface Tables {
  readonly documents: Documents
  readonly requests: Requests
  readonly events: Events
  readonly exchanges: Exchanges
  readonly nonces: Nonces
  readonly work: Work
  readonly agreements: Agreements
  readonly agreementLife: AgreementLife
  readonly memberships: Memberships
  readonly quota: Quota
  readonly datasets: Datasets
  readonly settings: Settings
  readonly log: Log
  readonly approvals: Approvals
  readonly releasedGroups: ReleasedGroups
  readonly openings: Openings
  readonly rulesets: Rulesets
  readonly checkpoints: Checkpoints
  readonly peerPositions: PeerPositions
  readonly standingOffers: StandingOffers
}

/** @param end of the log, see {@link LogEnd} */
export function tablesOn(connection: Connection, end?: LogEnd): Tables {
  return {
    documents: documentsOn(connection),
    requests: requestsOn(connection),
    events: eventsOn(connection),
    exchanges: exchangesOn(connection),
    nonces: noncesOn(connection),
    work: workOn(connection),
    agreements: agreementsOn(connection),
    agreementLife: agreementLifeOn(connection),
    memberships: membershipsOn(connection),
    quota: quotaOn(connection),
    datasets: datasetsOn(connection),
    settings: settingsOn(connection),
    log: logOn(connection, end),
    approvals: approvalsOn(connection),
    releasedGroups: releasedGroupsOn(connection),
    openings: openingsOn(connection),
    rulesets: rulesetsOn(connection),
    checkpoints: checkpointsOn(connection),
    peerPositions: peerPositionsOn(connection),
    standingOffers: standingOffersOn(connection)
  }
}
