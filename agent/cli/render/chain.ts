import { padEnd, plain, widthOf } from './text.ts'

export interface ChainStep {
  service: string
  at: string
  /** Run once more, to be compared. */
  again?: true
}

interface Share {
  at: string
  services: string[]
}

function shares(steps: readonly ChainStep[]): Share[] {
  const found: Share[] = []
  for (const { service, at } of steps) {
    const last = found.at(-1)
    if (last?.at === at) last.services.push(service)
    else found.push({ at, services: [service] })
  }
  return found
}

const describe = ({ at, services }: Share) => `${plain(at)}: ${services.map(plain).join(' → ')}`

/** What several parties do alike comes first and runs side by side; what is done once runs after it. */
function split(chain: readonly ChainStep[]): { lanes: Share[]; joined: Share[] } {
  const [first] = chain
  const parallel = first === undefined ? 0 : chain.filter(({ service }) => service === first.service).length
  if (parallel < 2) return { lanes: [], joined: shares(chain) }
  const seen = new Map<string, number>()
  for (const { service } of chain) seen.set(service, (seen.get(service) ?? 0) + 1)
  const side = chain.filter(({ service }) => seen.get(service) === parallel)
  const lanes = new Map<string, Share>()
  for (const { service, at } of side) {
    const lane = lanes.get(at) ?? { at, services: [] }
    lane.services.push(service)
    lanes.set(at, lane)
  }
  return { lanes: [...lanes.values()], joined: shares(chain.filter((step) => !side.includes(step))) }
}

/**
 * The chain drawn over the parties.
 *
 * @example
 * VU:  query → anonymize ─┐
 * UVA: query → anonymize ─┴→ SURF: aggregate → average
 */
export function renderChain(chain: readonly ChainStep[]): string {
  const again = shares(chain.filter((step) => step.again === true)).map(
    (share) => `run again at ${describe(share)}`
  )
  return [drawn(chain.filter((step) => step.again !== true)), ...again].join('\n')
}

function drawn(chain: readonly ChainStep[]): string {
  const { lanes, joined } = split(chain)
  const tail = joined.map(describe).join(' ─→ ')
  if (lanes.length === 0) return tail
  const names = Math.max(...lanes.map(({ at }) => widthOf(plain(at))))
  const left = lanes.map(
    ({ at, services }) => `${padEnd(`${plain(at)}:`, names + 1)} ${services.map(plain).join(' → ')}`
  )
  const width = Math.max(...left.map(widthOf))
  return left
    .map((text, index) => {
      const line = `${text} ${'─'.repeat(width - widthOf(text) + 1)}`
      if (index === 0) return `${line}┐`
      if (index < lanes.length - 1) return `${line}┤`
      return `${line}┴→ ${tail === '' ? 'result' : tail}`
    })
    .join('\n')
}
