import type { Expulsion, Signed } from '../../protocol/documents/index.ts'

/** Two lists that the authorities signed under one number: they said two things at once. */
export interface StatusConflict {
  readonly number: number
  /** Ids of the lists, in their order. */
  readonly lists: readonly string[]
}

/** More lists of one number than this prove nothing more. */
const MAX_OF_ONE_NUMBER = 4

export type Taken = 'newer' | 'conflict' | 'known'

/**
 * The status list in force. The highest number counts. Where the authorities signed several lists of one number, all of them
 * are kept as proof, and a key that any of them names is expelled until there is a list with a higher number.
 */
export class StatusLists {
  #newest: Signed<'status'>
  /** Further lists with the number of the newest. */
  #rivals: Signed<'status'>[] = []
  readonly #conflicts = new Map<number, string[]>()
  #expelled: ReadonlyMap<string, Expulsion>

  constructor(first: Signed<'status'>) {
    this.#newest = first
    this.#expelled = byPeer([first])
  }

  get newest(): Signed<'status'> {
    return this.#newest
  }

  /** Of the list in force, and of others under its number. */
  get ids(): string[] {
    return [this.#newest, ...this.#rivals].map(({ id }) => id)
  }

  /** By peer id. */
  get expelled(): ReadonlyMap<string, Expulsion> {
    return this.#expelled
  }

  /** Proof against the authorities, also from numbers that are past. */
  get conflicts(): StatusConflict[] {
    return [...this.#conflicts].map(([number, lists]) => ({ number, lists: [...lists].sort() }))
  }

  /** What {@link take} would do with it. */
  judge(list: Signed<'status'>): Taken {
    if (list.payload.number > this.#newest.payload.number) return 'newer'
    if (list.payload.number < this.#newest.payload.number) return 'known'
    const { ids } = this
    return ids.length >= MAX_OF_ONE_NUMBER || ids.includes(list.id) ? 'known' : 'conflict'
  }

  take(list: Signed<'status'>): Taken {
    const taken = this.judge(list)
    if (taken === 'newer') {
      this.#newest = list
      this.#rivals = []
    }
    if (taken === 'conflict') {
      this.#rivals.push(list)
      this.#prove(list.payload.number, this.ids)
    }
    if (taken !== 'known') this.#expelled = byPeer([this.#newest, ...this.#rivals])
    return taken
  }

  /** Takes lists in any order, as the store has them, and finds numbers that were used twice among older ones too. */
  restore(lists: readonly Signed<'status'>[]): void {
    const ascending = [...lists].sort((one, other) => one.payload.number - other.payload.number)
    for (const list of ascending) {
      this.take(list)
      const same = ascending.filter(({ payload }) => payload.number === list.payload.number)
      const ids = new Set(same.map(({ id }) => id))
      if (ids.size > 1) this.#prove(list.payload.number, [...ids])
    }
  }

  #prove(number: number, ids: readonly string[]): void {
    this.#conflicts.set(number, [...new Set([...(this.#conflicts.get(number) ?? []), ...ids])])
  }
}

/** A key that several lists name is stolen from the earliest instant that one of them says. */
function byPeer(lists: readonly Signed<'status'>[]): ReadonlyMap<string, Expulsion> {
  const expelled = new Map<string, Expulsion>()
  for (const one of lists.flatMap(({ payload }) => payload.expelled)) {
    const known = expelled.get(one.peer)
    const since = Math.min(one.since, known?.since ?? one.since)
    const stolen = [one.stolenFrom, known?.stolenFrom].filter((instant) => instant !== undefined)
    expelled.set(one.peer, {
      ...known,
      ...one,
      since,
      ...(stolen.length === 0 ? {} : { stolenFrom: Math.min(...stolen) })
    })
  }
  return expelled
}
