import type { AuditReport, CheckedFlow, CheckedParty, CheckedStep } from '../check/index.ts'
import { counted, hourOf, html, type Markup, NOTHING, shown } from './markup.ts'

const BOX = 210
const GAP = 190
const EDGE = 20
const LINE = 17
const HEAD = 50
const BETWEEN = 30
const COLUMNS = 3
const WIDTH = 2 * EDGE + COLUMNS * BOX + (COLUMNS - 1) * GAP
/** More would be no drawing; tables hold all. */
const MAX_PARTIES = 24
/** Width of one at 12 px, about. */
const LETTER = 6.4
const MAX_FLOWS = 48
const MAX_STEPS = 8
const NAME = 19
const SERVICE = 24
/** Between the ends of two arrows. */
const PORT = 14
/** Room that the words beside an arrow take. */
const LABEL = { width: 118, height: 32 }
/** Where along an arrow its words may stand; nearer to where it begins first: where many arrive, the ends lie close together. */
const PLACES = [0.42, 0.55, 0.3, 0.68, 0.5]

interface Point {
  x: number
  y: number
}

interface Box {
  party: CheckedParty
  steps: readonly CheckedStep[]
  column: number
  x: number
  y: number
  height: number
}

/** The exchange under one contract: parties as boxes by role, steps in them, flows as arrows. */
export function drawingOf(report: AuditReport, contract: string | null): Markup {
  const parties = report.parties.slice(0, MAX_PARTIES)
  const steps = report.steps.filter((step) => step.contract === contract)
  const flows = report.flows.filter((flow) => flow.contract === contract)
  const drawn = flows.slice(0, MAX_FLOWS)
  const boxes = placed(parties.map((party) => boxOf(party, steps, drawn)))
  const height = Math.max(...boxes.map((box) => box.y + box.height), EDGE) + EDGE
  const taken: Point[] = []
  const arrows = drawn.map((flow, index) => arrowOf(flow, index, drawn, boxes, taken))
  const absent = parties.filter(({ exported }) => !exported).length
  const said = `${counted(parties.length, 'party', 'parties')}, ${counted(flows.length, 'flow')} between them; ${absent === 0 ? 'the exports of all are in the file' : `${counted(absent, 'export')} missing`}.`
  const left = report.parties.length - parties.length + flows.length - drawn.length
  return html`<figure><svg role="img" viewBox="0 0 ${WIDTH} ${height}" aria-label="${said}">
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="tip" d="M0 0 10 5 0 10z"/></marker></defs>
${arrows.map(({ line }) => line)}
${boxes.map(drawnBox)}
${arrows.map(({ label }) => label)}
</svg><figcaption>${said} Dashed: nothing in the file tells of it.${left > 0 ? ` ${left} more are not drawn.` : ''}</figcaption></figure>`
}

function boxOf(party: CheckedParty, steps: readonly CheckedStep[], flows: readonly CheckedFlow[]): Box {
  const own = steps.filter(({ organisation }) => organisation === party.organisation)
  const rows = Math.min(own.length, MAX_STEPS + 1) + (party.exported ? 0 : 1)
  const ends = flows.filter(({ from, to }) => [from, to].includes(party.organisation)).length
  const height = Math.max(HEAD + rows * LINE + 8, (ends + 1) * PORT)
  return { party, steps: own, column: columnOf(party), x: 0, y: 0, height }
}

function columnOf({ roles }: CheckedParty): number {
  if (roles.includes('data')) return 0
  return roles.includes('infrastructure') ? 1 : 2
}

/** Columns stand beside each other, each in the middle of the highest. */
function placed(boxes: readonly Box[]): Box[] {
  const heightOf = (column: number) =>
    boxes.filter((box) => box.column === column).reduce((sum, { height }) => sum + height + BETWEEN, -BETWEEN)
  const highest = Math.max(...[0, 1, 2].map(heightOf))
  const next = [0, 1, 2].map((column) => EDGE + (highest - heightOf(column)) / 2)
  return boxes.map((box) => {
    const y = next[box.column] ?? EDGE
    next[box.column] = y + box.height + BETWEEN
    return { ...box, x: EDGE + box.column * (BOX + GAP), y }
  })
}

function drawnBox({ party, steps, x, y, height }: Box): Markup {
  const lines = steps.slice(0, MAX_STEPS).map(({ step, service }) => `${step} · ${shown(service, SERVICE)}`)
  if (steps.length > MAX_STEPS) lines.push(`and ${steps.length - MAX_STEPS} more`)
  if (!party.exported) lines.push('no export in the file')
  const rows = lines.map(
    (line, index) =>
      html`<text class="small" x="${x + 14}" y="${y + HEAD + 12 + index * LINE}">${line}</text>`
  )
  return html`<g class="${party.exported ? 'party' : 'party missing'}"><title>${party.organisation} (${party.peer})</title>
<rect x="${x}" y="${y}" width="${BOX}" height="${height}" rx="8"/>
<text class="name" x="${x + 14}" y="${y + 23}">${shown(party.organisation, NAME)}</text>
<text class="small quiet" x="${x + 14}" y="${y + 41}">${shown(party.roles.map(roleInWords).join(', '), 32)}</text>
${rows}</g>`
}

const ROLES: Readonly<Record<string, string>> = { data: 'data provider', infrastructure: 'compute provider' }

export function roleInWords(role: string): string {
  return Object.hasOwn(ROLES, role) ? (ROLES[role] ?? role) : role
}

type Side = 'left' | 'right'

function sidesOf(from: Box, to: Box): { leaves: Side; arrives: Side } {
  if (from.column === to.column) {
    const side = from.column === 0 ? 'right' : 'left'
    return { leaves: side, arrives: side }
  }
  return from.column < to.column ? { leaves: 'right', arrives: 'left' } : { leaves: 'left', arrives: 'right' }
}

function endsOf(flow: CheckedFlow, boxes: readonly Box[]): { from: Box; to: Box } | null {
  const boxNamed = (name: string) =>
    boxes.find(({ party }) => party.organisation === name) ?? boxes.find(({ party }) => party.peer === name)
  const from = boxNamed(flow.from)
  const to = boxNamed(flow.to)
  return from === undefined || to === undefined ? null : { from, to }
}

/** Ends of arrows share a side of their box evenly, from the one that leads highest to the one that leads lowest. */
function portOf(index: number, box: Box, side: Side, flows: readonly CheckedFlow[], boxes: readonly Box[]) {
  const there = flows
    .flatMap((flow, number) => {
      const ends = endsOf(flow, boxes)
      if (ends === null) return []
      const { from, to } = ends
      const sides = sidesOf(from, to)
      if (from === box && sides.leaves === side) return [{ number, to: to.y, end: 'from' }]
      return to === box && sides.arrives === side ? [{ number, to: from.y, end: 'to' }] : []
    })
    .sort((one, other) => one.to - other.to || one.number - other.number)
  const place = there.findIndex(({ number }) => number === index)
  return {
    x: side === 'left' ? box.x : box.x + BOX,
    y: box.y + (box.height * (place + 1)) / (there.length + 1)
  }
}

function arrowOf(
  flow: CheckedFlow,
  index: number,
  flows: readonly CheckedFlow[],
  boxes: readonly Box[],
  taken: Point[]
): { line: Markup; label: Markup } {
  const ends = endsOf(flow, boxes)
  if (ends === null || ends.from === ends.to) return { line: NOTHING, label: NOTHING }
  const { leaves, arrives } = sidesOf(ends.from, ends.to)
  const from = portOf(index, ends.from, leaves, flows, boxes)
  const to = portOf(index, ends.to, arrives, flows, boxes)
  const reach = leaves === arrives ? 70 : Math.max(60, Math.abs(to.x - from.x) / 2)
  const bent = (x: number, side: Side) => Math.round(x + (side === 'right' ? reach : -reach))
  const tip = arrives === 'left' ? to.x - 2 : to.x + 2
  const path = `M${from.x} ${Math.round(from.y)}C${bent(from.x, leaves)} ${Math.round(from.y)} ${bent(to.x, arrives)} ${Math.round(to.y)} ${tip} ${Math.round(to.y)}`
  const told = flow.sent !== null || flow.received !== null
  // Beside a bow there is room on its outer side alone.
  const aside = leaves !== arrives ? 0 : leaves === 'right' ? 30 : -30
  const along = (at: number): Point => ({
    x: Math.round(bezier(at, from.x, bent(from.x, leaves), bent(to.x, arrives), to.x) + aside),
    y: Math.round(bezier(at, from.y, from.y, to.y, to.y))
  })
  const free = PLACES.map(along).find((point) => !taken.some((other) => overlap(point, other)))
  const { x, y } = free ?? lowered(along(0.5), taken)
  taken.push({ x, y })
  // Words stand above a straight line, and on their own ground where a bow would go through them.
  const straight = leaves !== arrives && Math.abs(to.y - from.y) < LINE
  const raised = straight ? 17 : 0
  const wide = LETTER * Math.max(labelOf(flow).length, timesOf(flow).length)
  const ground = html`<rect class="ground" x="${Math.round(x - wide / 2)}" y="${y - 18}" width="${Math.round(wide)}" height="33"/>`
  return {
    line: html`<path class="${told ? 'flow' : 'flow missing'}" d="${path}" marker-end="url(#tip)"/>`,
    label: html`${straight ? NOTHING : ground}<text class="small label" x="${x}" y="${y - 6 - raised}">${labelOf(flow)}</text><text class="small label quiet" x="${x}" y="${y + 11 - raised}">${timesOf(flow)}</text>`
  }
}

function overlap(one: Point, other: Point): boolean {
  return Math.abs(one.x - other.x) < LABEL.width && Math.abs(one.y - other.y) < LABEL.height
}

/** Below the words that are there already. */
function lowered(point: Point, taken: readonly Point[]): Point {
  const below = taken.find((other) => overlap(point, other))
  return below === undefined ? point : lowered({ x: point.x, y: below.y + LABEL.height }, taken)
}

function bezier(at: number, a: number, b: number, c: number, d: number): number {
  const rest = 1 - at
  return rest ** 3 * a + 3 * rest ** 2 * at * b + 3 * rest * at ** 2 * c + at ** 3 * d
}

function labelOf({ flow, parts }: CheckedFlow): string {
  return `flow ${flow}${parts === null ? '' : ` · ${counted(parts, 'part')}`}`
}

function timesOf({ sent, received }: CheckedFlow): string {
  if (sent !== null && received !== null) return `${hourOf(sent)} → ${hourOf(received)}`
  if (sent !== null) return `sent ${hourOf(sent)}`
  return received === null ? 'not told' : `received ${hourOf(received)}`
}
