/**
 * A grammar written as ordinary code that takes its decisions from a list of numbers: the same numbers give the same text, and a
 * shorter list, or smaller numbers, a simpler one. When the list is used up, every decision is the first.
 */
export class Choices {
  private at = 0

  constructor(private readonly numbers: ArrayLike<number>) {}

  below(count: number): number {
    const number = this.numbers[this.at] ?? 0
    this.at += 1
    return number % count
  }

  /** True once in `count` times, and never when nothing is left to decide by. */
  rarely(count: number): boolean {
    return this.below(count) === count - 1 && count > 1
  }

  get exhausted(): boolean {
    return this.at >= this.numbers.length
  }

  pick<T>(first: T, ...others: readonly T[]): T {
    return others[this.below(others.length + 1) - 1] ?? first
  }

  /** One of several ways to go on; only the one that is chosen is gone. */
  branch<T>(first: () => T, ...others: readonly (() => T)[]): T {
    return this.pick(first, ...others)()
  }
}
