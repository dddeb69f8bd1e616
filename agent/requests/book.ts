import type { ProgressEvent, RequestView } from '../api/index.ts'
import { FINAL_STATUS } from '../api/index.ts'
import type { Submission } from '../config/index.ts'
import { Progress } from './progress.ts'
import type { RequestRecord } from './record.ts'
import { viewRequest } from './view.ts'

const MAX_RECENT = 200

export interface BookComponents {
  clock: { now(): number }
  organisationOf(peer: string): string
}

/** The requests of this agent's own people that are worked on or ended lately. */
export class RequestBook {
  readonly #components: BookComponents
  readonly #records = new Map<string, RequestRecord>()
  readonly #progress = new Map<string, Progress>()
  readonly #submissions = new Map<string, Submission>()

  constructor(components: BookComponents) {
    this.#components = components
  }

  record(id: string): RequestRecord | undefined {
    return this.#records.get(id)
  }

  progress(id: string): Progress | undefined {
    return this.#progress.get(id)
  }

  submission(id: string): Submission | undefined {
    return this.#submissions.get(id)
  }

  /**
   * Keeps a record; the oldest that has ended makes room.
   *
   * @param after the number after which its events count on
   */
  remember(record: RequestRecord, submission: Submission, after = 0): void {
    if (this.#records.size >= MAX_RECENT) {
      const ended = [...this.#records.values()].find((old) => FINAL_STATUS.includes(old.status))
      if (ended !== undefined) {
        this.#records.delete(ended.id)
        this.#progress.delete(ended.id)
        this.#submissions.delete(ended.id)
      }
    }
    this.#records.set(record.id, record)
    this.#submissions.set(record.id, submission)
    this.#progress.set(record.id, new Progress(after))
  }

  view(record: RequestRecord): RequestView {
    return viewRequest(record, (peer) => this.organisationOf(peer))
  }

  organisationOf(peer: string): string {
    return this.#components.organisationOf(peer)
  }

  tell(record: RequestRecord, phase: string, message: string, more: Partial<ProgressEvent> = {}): void {
    this.#progress.get(record.id)?.tell(this.#components.clock.now(), record.status, phase, message, more)
  }

  tellOf(
    record: RequestRecord,
    hop: string,
    phase: string,
    message: string,
    more: Partial<ProgressEvent> = {}
  ): void {
    this.tell(record, phase, message, { ...more, hop: this.organisationOf(hop) })
  }
}
