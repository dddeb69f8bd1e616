import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Tells when something in a folder may have changed, until it is stopped. */
export type Watch = (folder: string, changed: () => void) => () => void

/** Editors write a file in several steps. */
const SETTLED_MS = 100
/** For changes of which the platform said nothing. */
const LOOK_EVERY_MS = 60_000

/**
 * The platform's notifications for a folder, and for the one around it, since it may be made, moved or replaced later. They
 * are hints that can be missed on some file systems, so it is told once a minute in any case.
 */
export const watchFolder: Watch = (folder, changed) => {
  let inside: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  const soon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(changed, SETTLED_MS)
    timer.unref()
  }
  const look = (): void => {
    inside?.close()
    inside = open(folder, soon)
  }
  const around = open(dirname(folder), (name) => {
    if (name !== null && name !== basename(folder)) return
    look()
    soon()
  })
  look()
  const regularly = setInterval(changed, LOOK_EVERY_MS)
  regularly.unref()
  return () => {
    clearTimeout(timer)
    clearInterval(regularly)
    inside?.close()
    around?.close()
  }
}

/** Nothing where the folder does not exist or the platform has no notifications left to give. */
function open(folder: string, event: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_what, name) => event(name))
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
