import type { ProgressEvent } from '../../api/index.ts'
import { cut, plain } from './text.ts'
import { bytesInWords, timeInWords } from './units.ts'

export interface Progress {
  show(event: ProgressEvent): void
  /** Leaves the terminal as it found it. */
  end(): void
}

/** What happens where, how far it is, how long it may take. */
export function progressLine(event: ProgressEvent): string {
  const size =
    event.bytes === undefined
      ? undefined
      : event.of === undefined
        ? bytesInWords(event.bytes)
        : `${bytesInWords(event.bytes)} of ${bytesInWords(event.of)}`
  const eta =
    event.etaMilliseconds === undefined ? undefined : `about ${timeInWords(event.etaMilliseconds)} left`
  const rows = event.rows === undefined ? undefined : `${event.rows} ${event.rows === 1 ? 'row' : 'rows'}`
  const parts = [event.phase, event.hop, event.message, rows, size, eta]
  return parts
    .filter((part) => part !== undefined && part !== '')
    .map((part) => plain(part ?? ''))
    .join(' · ')
}

const CLEAR = '\r\u001b[2K'

/** One live line on a terminal, a line for each step elsewhere (and none for mere bytes). */
export function createProgress(
  write: (text: string) => void,
  options: { interactive: boolean; columns: number }
): Progress {
  if (options.interactive) {
    let shown = false
    return {
      show: (event) => {
        shown = true
        write(CLEAR + cut(progressLine(event), options.columns - 1))
      },
      end: () => {
        if (shown) write(CLEAR)
        shown = false
      }
    }
  }
  let last = ''
  const moving = new Set<string>()
  return {
    show: (event) => {
      const what = [event.phase, event.hop, event.message].join('\0')
      // Flows move beside each other: each is told once.
      if (what === last || (event.bytes !== undefined && moving.has(what))) return
      if (event.bytes !== undefined) moving.add(what)
      last = what
      write(`${progressLine(event)}\n`)
    },
    end: () => undefined
  }
}
