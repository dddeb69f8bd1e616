import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { GroupUnits, ReleaseTo, Store } from '../store/index.ts'

/** A group that left is compared with later ones for a year. */
export const GROUPS_KEPT_MS = 366 * 86_400_000
/** Units of the groups that are remembered of one dataset for one organisation; what cannot be remembered does not leave. */
export const MOST_UNITS = 5_000_000

const SALT = 'released-groups-salt'
const SALT_BYTES = 32

export interface Earlier {
  /** What hashes of units are keyed with, hex. */
  salt: string
  /** How many groups left before. */
  groups: number
  /** Writes them into a new file: lines `set,unit,content`. */
  write(file: string): Promise<void>
  /** How many more units can be remembered. */
  room: number
}

/** Who gets to know what of which datasets. */
export interface Disclosure {
  datasets: readonly string[]
  /** Organisations. */
  readers: readonly string[]
}

/**
 * Remembers, for each organisation that got to know anything of a dataset, whose rows the groups that left were made of. Jobs
 * over one dataset run one after the other: two at once could each let a group leave, and the difference of the two with them.
 */
export class GroupHistory {
  readonly #store: Pick<Store, 'releasedGroups' | 'settings' | 'transaction'>
  readonly #clock: { now(): number }
  readonly #most: number
  /** The last in the queue of each dataset. */
  readonly #last = new Map<string, Promise<void>>()

  constructor({
    store,
    clock,
    most = MOST_UNITS
  }: {
    store: Pick<Store, 'releasedGroups' | 'settings' | 'transaction'>
    clock: { now(): number }
    most?: number
  }) {
    this.#store = store
    this.#clock = clock
    this.#most = most
  }

  /**
   * Runs a job that lets groups leave. When this resolves they are remembered on disk; before, nothing of them may leave.
   *
   * @param job gives what is to be remembered: lines `set,unit,content`, those of a set together
   */
  async during<T>(
    to: Disclosure,
    signal: AbortSignal,
    job: (earlier: Earlier) => Promise<{ value: T; released: string }>
  ): Promise<T> {
    return await this.#inTurn(to.datasets, signal, async () => {
      const { value, released } = await job(await this.#earlier(to))
      const groups = groupsOf(released)
      const at = this.#clock.now()
      await this.#store.transaction(async (tx) => {
        for (const one of pairs(to)) await tx.releasedGroups.keep(one, groups, at)
      })
      return value
    })
  }

  async #inTurn<T>(datasets: readonly string[], signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = Promise.all(datasets.map((dataset) => this.#last.get(dataset)))
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const dataset of datasets) this.#last.set(dataset, promise)
    // whoever gives up while waiting lets nobody pass before those it waited for
    const leave = async (): Promise<void> => {
      await before
      resolve()
      for (const dataset of datasets) if (this.#last.get(dataset) === promise) this.#last.delete(dataset)
    }
    try {
      await untilAborted(before, signal)
      return await work()
    } finally {
      leave().catch(() => undefined)
    }
  }

  async #earlier(to: Disclosure): Promise<Earlier> {
    const since = this.#clock.now() - GROUPS_KEPT_MS
    const groups = new Map<string, ReleaseTo>()
    let room = this.#most
    for (const one of pairs(to)) {
      const known = await this.#store.releasedGroups.of(one, since)
      room = Math.min(room, this.#most - known.reduce((sum, { size }) => sum + size, 0))
      for (const { name } of known) groups.set(name, one)
    }
    return {
      salt: await this.#salt(),
      groups: groups.size,
      write: async (file) => await this.#write(groups, file),
      room: Math.max(0, room)
    }
  }

  /** One after the other: together they may be larger than memory. */
  async #write(groups: ReadonlyMap<string, ReleaseTo>, path: string): Promise<void> {
    const file = await open(path, 'wx', 0o600)
    try {
      for (const [name, to] of groups) {
        const units = await this.#store.releasedGroups.units(to, name)
        if (units === undefined) throw new Error(`the group ${name} is not there any more`)
        await file.appendFile(units.replaceAll(/^(?=.)/gm, `${name},`))
      }
    } finally {
      await file.close()
    }
  }

  async #salt(): Promise<string> {
    return await this.#store.transaction(async (tx) => {
      const known = await tx.settings.get(SALT)
      if (known !== undefined) return known
      const made = randomBytes(SALT_BYTES).toString('hex')
      await tx.settings.set(SALT, made)
      return made
    })
  }
}

/** @throws the reason of the signal, once it is aborted */
async function untilAborted(awaited: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([awaited, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function pairs({ datasets, readers }: Disclosure): ReleaseTo[] {
  return datasets.flatMap((dataset) => [...new Set(readers)].map((reader) => ({ dataset, reader })))
}

function groupsOf(lines: string): GroupUnits[] {
  const groups = new Map<string, string[]>()
  for (const line of lines.split('\n')) {
    const comma = line.indexOf(',')
    if (comma < 0) continue
    const name = line.slice(0, comma)
    const units = groups.get(name) ?? []
    units.push(`${line.slice(comma + 1)}\n`)
    groups.set(name, units)
  }
  return [...groups].map(([name, units]) => ({ name, units: units.join(''), size: units.length }))
}
