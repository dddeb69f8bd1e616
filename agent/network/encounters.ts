/** What was seen of an agent when it said hello last. */
export interface Encounter {
  readonly peer: string
  /** How far its clock is ahead of ours, in milliseconds; undefined when it did not tell. */
  readonly clockAhead: number | undefined
  /** The code with which it refused us; undefined when it did not. */
  readonly refusedUs: string | undefined
}

/** More than this many agents say nothing more about what is wrong here. */
const MOST_KEPT = 256

/** The last hello of each agent: by it one finds out that the own clock, or the own membership, is not as it should be. */
export class Encounters {
  readonly #byPeer = new Map<string, Encounter>()

  /** A member showed its clock. */
  clock(peer: string, ahead: number): void {
    this.#keep({ peer, clockAhead: ahead, refusedUs: undefined })
  }

  /** An agent did not believe us. */
  refusedBy(peer: string, code: string): void {
    this.#keep({ peer, clockAhead: this.#byPeer.get(peer)?.clockAhead, refusedUs: code })
  }

  all(): Encounter[] {
    return [...this.#byPeer.values()]
  }

  #keep(encounter: Encounter): void {
    this.#byPeer.delete(encounter.peer)
    this.#byPeer.set(encounter.peer, encounter)
    for (const oldest of this.#byPeer.keys()) {
      if (this.#byPeer.size <= MOST_KEPT) return
      this.#byPeer.delete(oldest)
    }
  }
}
