/** Lets one task run at a time, in the order they were asked for. A task that fails does not stop the next. */
export class Queue {
  #tail: Promise<unknown> = Promise.resolve()

  async enter<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(task)
    this.#tail = turn.catch(() => undefined)
    return await turn
  }

  /** Resolves when everything that was asked for until now is done. */
  async idle(): Promise<void> {
    await this.#tail
  }
}
