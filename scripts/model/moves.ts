import { addressees, createHop, type Message } from '../../protocol/negotiation/index.ts'
import { type Cut, NO, NO_MEMBER, Turn } from './agent.ts'
import type { Cost } from './budgets.ts'
import { armed, passedCoordinator, passedHop, type Timer } from './timers.ts'
import {
  ASKER,
  AUTHORITY,
  DATA_1,
  DATA_2,
  type Envelope,
  type Local,
  PEERS,
  type Question,
  type Surroundings,
  TO_COME
} from './world.ts'

/** What may happen at one agent. */
export type Move =
  | { do: 'hear'; envelope: Envelope }
  | { do: 'hear itself' }
  | { do: 'answer'; question: Question }
  | { do: 'fire'; timer: Timer }
  | { do: 'finish its share' }
  | { do: 'fail'; blamed: string }
  | { do: 'lose what it permitted' }
  | { do: 'lose its membership' }
  | { do: 'run out of room' }
  | { do: 'wait for its people' }
  | { do: 'hear from its people' }
  | { do: 'ask policy whether to continue' }
  | { do: 'cancel' }
  | { do: 'learn that it was lost'; envelope: Envelope }
  | { do: 'leave for ever' }
  | { do: 'crash' }
  /** After the step was stored and these of its words had left. */
  | { do: 'crash within'; move: Move; words: readonly number[] }

export interface Taken {
  local: Local
  sent: readonly Envelope[]
  cuts: readonly Cut[]
  broken: string | null
}

const LIMITS = { startBy: TO_COME, deadline: TO_COME, grace: TO_COME, idle: TO_COME }

export function newHop(self: string) {
  return createHop({ request: 'request', self, coordinator: ASKER, limits: LIMITS, now: 0 })
}

/** The moves that need nobody else, and which budget each takes from. */
export function ownMoves(local: Local): { move: Move; costs: Cost | null }[] {
  if (local.gone) return []
  const { hop, coordinator } = local
  const moves: { move: Move; costs: Cost | null }[] = []
  if (local.queue.length > 0) moves.push({ move: { do: 'hear itself' }, costs: null })
  for (const question of local.asked) moves.push({ move: { do: 'answer', question }, costs: null })
  for (const timer of armed(local)) moves.push({ move: { do: 'fire', timer }, costs: 'timers' })
  if (Turn.canFinish(local)) moves.push({ move: { do: 'finish its share' }, costs: null })
  if (local.running !== null && hop?.stage.phase === 'started')
    for (const { peer } of hop.stage.contract.parties)
      moves.push({ move: { do: 'fail', blamed: peer }, costs: 'failures' })
  if (!local.revoked && local.self !== ASKER)
    moves.push({ move: { do: 'lose what it permitted' }, costs: 'revocations' })
  if (local.isMember) moves.push({ move: { do: 'lose its membership' }, costs: 'strikes' })
  if (!local.full && local.self !== ASKER) moves.push({ move: { do: 'run out of room' }, costs: 'refusals' })
  if (local.people === 'trust' && local.self !== ASKER)
    moves.push({ move: { do: 'wait for its people' }, costs: 'approvals' })
  if (hop !== null && hop.approval !== null) moves.push({ move: { do: 'hear from its people' }, costs: null })
  if (hop?.stage.phase === 'started' && doubts(local))
    moves.push({ move: { do: 'ask policy whether to continue' }, costs: null })
  const phase = coordinator?.stage.phase
  if (phase !== undefined && phase !== 'ended' && phase !== 'closing')
    moves.push({ move: { do: 'cancel' }, costs: 'cancels' })
  moves.push({ move: { do: 'crash' }, costs: 'crashes' }, { move: { do: 'leave for ever' }, costs: 'leaves' })
  return moves
}

/** Whether policy, asked now, objects to what was started here. */
function doubts({ revoked, struck, hop }: Local): boolean {
  if (hop?.stage.phase !== 'started') return false
  if (revoked && hop.stage.share !== 'failed') return true
  const lost = hop.stage.contract.parties.some(({ peer }) => peer === struck)
  return lost && (hop.stage.share !== 'failed' || (struck === ASKER && hop.self !== ASKER))
}

/** Carries a move out. */
export function take(local: Local, move: Move, around: Surroundings): Taken {
  if (move.do === 'crash within') {
    const whole = take(local, move.move, around)
    const cut = whole.cuts.find((one) => one.sent === move.words.length)
    if (cut === undefined) throw new Error('there is no such place to crash')
    const up = restart(cut.local, around)
    const gone = whole.sent.filter((_, index) => move.words.includes(index))
    return { ...up, sent: [...gone, ...up.sent], broken: up.broken ?? whole.broken }
  }
  if (move.do === 'crash') return restart(local, around)
  const turn = new Turn(local, around)
  happen(turn, move)
  if (around.eager) settle(turn)
  return turn
}

/** Which words may have left when it crashes in the middle of a step. What all are told, data providers hear in any order. */
export function wordsBefore({ cuts, sent }: Taken): number[][] {
  return cuts.flatMap(({ sent: count }) => {
    const words = Array.from({ length: count }, (_, index) => index)
    const [last, next] = [sent[count - 1], sent[count]]
    const twins =
      last !== undefined &&
      next !== undefined &&
      last.word.kind === next.word.kind &&
      [DATA_1, DATA_2].every((peer) => peer === last.to || peer === next.to)
    return twins ? [words, [...words.slice(0, -1), count]] : [words]
  })
}

/** What an agent owes only to itself is done before anything else happens there. */
function settle(turn: Turn): void {
  for (let step = 0; step < 100; step++) {
    if (turn.local.queue.length > 0) turn.hearItself()
    else {
      const [question] = turn.local.asked
      if (question === undefined) return
      turn.answer(question)
    }
  }
  turn.breaks('L1: an agent talks to itself without end')
}

function happen(turn: Turn, move: Exclude<Move, { do: 'crash' | 'crash within' }>): void {
  const { local } = turn
  switch (move.do) {
    case 'hear':
      hear(turn, move.envelope)
      return
    case 'hear itself':
      turn.hearItself()
      return
    case 'answer':
      turn.answer(move.question)
      return
    case 'fire':
      fire(turn, move.timer)
      return
    case 'finish its share': {
      const contract = local.running
      if (contract === null) return
      turn.local = { ...local, running: null, produced: [...local.produced, contract].toSorted() }
      turn.toHop({ type: 'output-leaves', contract, now: 0 })
      turn.toHop({ type: 'share-done', contract, now: 0 })
      return
    }
    case 'fail': {
      const contract = local.running
      if (contract === null) return
      const about = { contract, step: null, position: null, now: 0 }
      const code = move.blamed === local.self ? ('job-failed' as const) : ('peer-unreachable' as const)
      turn.local = { ...local, running: null }
      turn.toHop({ type: 'share-failed', hop: move.blamed, code, ...about })
      return
    }
    case 'lose what it permitted':
      turn.local = { ...local, revoked: true }
      return
    case 'lose its membership':
      turn.local = { ...local, isMember: false }
      for (const to of PEERS)
        if (to !== local.self) turn.say({ from: AUTHORITY, to, word: { kind: 'struck', peer: local.self } })
      return
    case 'run out of room':
      turn.local = { ...local, full: true }
      return
    case 'wait for its people':
      turn.local = { ...local, people: 'ask' }
      return
    case 'hear from its people':
      turn.local = { ...local, people: 'asked' }
      turn.toHop({ type: 'approval-decided', now: 0 })
      return
    case 'ask policy whether to continue':
      reconsider(turn)
      return
    case 'cancel':
      turn.toCoordinator({ type: 'cancel', now: 0 })
      return
    case 'learn that it was lost':
      notArrived(turn, move.envelope)
      return
    case 'leave for ever':
      turn.local = { ...local, gone: true, hop: null, coordinator: null, asked: [], queue: [], running: null }
      return
  }
}

/** What was started is asked about again: the own permission first, then whether all are members. */
function reconsider(turn: Turn): void {
  const { hop, revoked, struck } = turn.local
  if (hop?.stage.phase !== 'started') return
  const { id: contract, parties } = hop.stage.contract
  const about = { type: 'verdict' as const, question: 'continue' as const, contract, now: 0 }
  if (revoked && hop.stage.share !== 'failed') {
    turn.toHop({ ...about, refusal: NO })
    if (turn.local.running !== null) turn.breaks('L2: works on after its policy took that back')
  } else if (struck !== null && parties.some(({ peer }) => peer === struck)) {
    turn.toHop({ ...about, refusal: NO_MEMBER, hop: struck })
    if (turn.local.running !== null) turn.breaks(`L2: works on with ${struck}, which is no member`)
    const leads = struck === ASKER && turn.local.hop?.self !== ASKER
    if (leads && turn.local.hop?.stage.phase === 'started')
      turn.breaks('L2: waits for the word of one that is no member')
  }
}

/** The status list: what runs is asked about at once, and no word of that agent is taken any more. */
function hearOfStrike(turn: Turn, peer: string): void {
  if (turn.local.struck === peer) return
  turn.local = { ...turn.local, struck: peer }
  const stage = turn.local.coordinator?.stage
  const awaited = stage?.phase === 'proposing' || stage?.phase === 'running' ? stage.contract.parties : []
  reconsider(turn)
  if (awaited.some((party) => party.peer === peer))
    turn.toCoordinator({ type: 'lost', peer, code: 'expelled', now: 0 })
}

function fire(turn: Turn, timer: Timer): void {
  const { hop, coordinator } = turn.local
  if (timer.machine === 'hop' && hop !== null) {
    // Where nobody has decided in time, policy does not ask again.
    const people = timer.field === 'approval' ? 'asked' : turn.local.people
    turn.local = { ...turn.local, people, hop: passedHop(hop, timer) }
    turn.toHop({ type: 'tick', now: 0 })
  } else if (coordinator !== null) {
    turn.local = { ...turn.local, coordinator: passedCoordinator(coordinator, timer) }
    turn.toCoordinator({ type: 'tick', now: 0 })
  }
}

function hear(turn: Turn, { from, to, word }: Envelope): void {
  if (turn.local.gone || from === turn.local.struck) return
  if (word.kind === 'struck') {
    hearOfStrike(turn, word.peer)
    return
  }
  if (word.kind === 'unreachable') {
    turn.toCoordinator({ type: 'lost', peer: from, now: 0 })
    return
  }
  const event = { type: 'received' as const, from, message: word, now: 0 }
  for (const machine of addressees(word.kind)) {
    if (machine === 'coordinator') turn.toCoordinator(event)
    else if (turn.local.hop !== null) turn.toHop(event)
    else if (to !== ASKER) hearAsStranger(turn, from, word)
  }
}

/** A request that is not in memory: new, or ended before the last restart, or forgotten with it. */
function hearAsStranger(turn: Turn, from: string, word: Message): void {
  const { self, disk } = turn.local
  const stage = disk.hop?.stage
  const told = stage?.phase === 'ended' && stage.outcome.signer !== null ? stage.outcome : null
  const again = ['ask', 'propose', 'start', 'cancel'].includes(word.kind)
  if (again && told !== null) turn.say({ from: self, to: from, word: { kind: 'outcome', outcome: told } })
  else if (word.kind === 'ask' && disk.hop === null) {
    turn.local = { ...turn.local, hop: newHop(self) }
    turn.toHop({ type: 'received', from, message: word, now: 0 })
  } else if (word.kind === 'ask') {
    const none = { kind: 'offer' as const, epoch: word.epoch, offer: 'none', permits: false }
    turn.say({ from: self, to: from, word: none })
  } else if (word.kind === 'propose') turn.say({ from: self, to: from, word: { kind: 'unreachable' } })
}

/** Asks and contracts that do not arrive are noticed by the sender. */
export function isMissed({ word }: Envelope): boolean {
  return word.kind === 'ask' || word.kind === 'propose'
}

function notArrived(turn: Turn, { to, word }: Envelope): void {
  if (word.kind === 'propose') turn.toCoordinator({ type: 'lost', peer: to, now: 0 })
  if (word.kind !== 'ask') return
  const message = { kind: 'offer' as const, epoch: word.epoch, offer: 'none', permits: false }
  turn.toCoordinator({ type: 'received', from: to, message, now: 0 })
}

/** Memory is gone. What has ended is not taken up again, except where its people may not have been told. */
function restart(local: Local, around: Surroundings): Taken {
  const { disk, self } = local
  const open = (one: { stage: { phase: string } } | null) => one !== null && one.stage.phase !== 'ended'
  const up = self === ASKER || open(disk.hop) || open(disk.coordinator)
  const { hop, coordinator } = up ? disk : { hop: null, coordinator: null }
  const turn = new Turn({ ...local, hop, coordinator, asked: [], queue: [], running: null }, around)
  const contract = hop?.stage.phase === 'started' ? hop.stage.contract.id : null
  const begun = local.begun.filter((one) => one === contract)
  turn.toHop({ type: 'restarted', begun, now: 0 })
  turn.toCoordinator({ type: 'restarted', begun, now: 0 })
  if (around.eager) settle(turn)
  return turn
}

/** For people to read. */
export function describe(agent: string, move: Move): string {
  switch (move.do) {
    case 'hear': {
      const { from, word } = move.envelope
      return `${agent} hears ${wordOf(word)} from ${from}`
    }
    case 'hear itself':
      return `${agent} hears what its other machine said`
    case 'answer': {
      const { question } = move
      return `${agent} answers itself: ${question.do === 'ask-policy' ? `may it ${question.question}?` : question.do}`
    }
    case 'fire':
      return `${agent}: ${move.timer.field} of its ${move.timer.machine} passes`
    case 'fail':
      return `${agent} fails at its share and blames ${move.blamed}`
    case 'learn that it was lost':
      return `${agent} learns that its ${wordOf(move.envelope.word)} did not reach ${move.envelope.to}`
    case 'crash':
      return `${agent} crashes and comes up again`
    case 'crash within':
      return `${describe(agent, move.move)}, stores that, crashes with ${move.words.length} words sent, and comes up again`
    default:
      return `${agent}: ${move.do}`
  }
}

export function wordOf(word: Envelope['word']): string {
  switch (word.kind) {
    case 'propose':
      return `propose (${word.contract.id})`
    case 'acceptance':
      return `acceptance (${word.acceptance.contract})`
    case 'start':
      return `start with ${word.acceptances.length} acceptances (${word.contract})`
    case 'outcome':
      return `outcome ${word.outcome.result}`
    case 'struck':
      return `that ${word.peer} is no member`
    default:
      return word.kind
  }
}
