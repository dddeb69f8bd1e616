import { access } from 'node:fs/promises'
import { peerOfKeyFile } from '../../../../identity/index.ts'
import { codeOf } from '../../../exit.ts'
import { type Check, type Found, isLacking } from '../check.ts'

const mends: Readonly<Record<string, string>> = {
  'key-file-missing':
    'take the file from a backup; if there is none, make a new key: dynamos marketplace join CHARTER --new-key agent (or steward)',
  'key-file-open': 'chmod 600 FILE; if others may have read it, treat it as stolen: docs/marketplace.md',
  'not-a-key-file': 'take the file from a backup'
}

async function keyFile(what: string, file: string): Promise<Found> {
  try {
    const { peer } = await peerOfKeyFile(file)
    return { level: 'ok', message: `${what} ${peer}` }
  } catch (error) {
    const code = codeOf(error)
    const mend = mends[code]?.replace('FILE', file)
    return {
      level: 'error',
      code,
      message: error instanceof Error ? error.message : String(error),
      ...(mend === undefined ? {} : { mend })
    }
  }
}

/** The key files of the configuration, and new keys that wait for a membership. */
export const keys: Check = {
  name: 'keys',
  look: async ({ config }) => {
    if (isLacking(config)) return []
    const files = { agent: config.identity.key, steward: config.identity.steward }
    const found: Found[] = []
    for (const [what, file] of Object.entries(files)) {
      found.push(await keyFile(what, file))
      const waits = await access(`${file}.new`).then(
        () => true,
        () => false
      )
      if (waits)
        found.push({
          level: 'warning',
          message: `${file}.new waits for a membership that lists it`,
          mend: 'send join-request.json to the authority, and install what comes back: dynamos marketplace install FILE'
        })
    }
    return found
  }
}
