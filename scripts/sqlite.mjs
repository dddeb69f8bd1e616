import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

function loads(root) {
  try {
    createRequire(join(root, 'package.json'))('sqlite3')
    return true
  } catch {
    return false
  }
}

/** Node's own headers, when they came with it and are of the same version: then none have to be fetched. */
function headersBesideNode() {
  const prefix = dirname(dirname(process.execPath))
  const file = join(prefix, 'include', 'node', 'node_version.h')
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  const number = (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1]
  return `${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}` === process.versions.node
    ? prefix
    : undefined
}

/**
 * Compiles sqlite3's native module when it is missing. With the system's SQLite (libsqlite3-dev) that takes about 20 seconds,
 * with the one in the package about two minutes.
 */
export async function ensureSqlite(root) {
  if (loads(root)) return
  const nodedir = headersBesideNode()
  const env = {
    ...process.env,
    npm_config_build_from_source: 'true',
    ...(existsSync('/usr/include/sqlite3.h') ? { npm_config_sqlite: '/usr' } : {}),
    ...(nodedir === undefined ? {} : { npm_config_nodedir: nodedir })
  }
  console.error('compiling sqlite3 …')
  const npm = process.env.npm_execpath
  const [program, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]]
  const child = spawn(
    program,
    [...first, 'rebuild', 'sqlite3', '--ignore-scripts=false', '--foreground-scripts'],
    {
      cwd: root,
      env,
      stdio: ['ignore', 2, 2]
    }
  )
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code !== 0 || !loads(root)) {
    console.error('sqlite3 could not be compiled; it needs a C++ compiler, make and Python 3.')
    console.error('On Debian: apt-get install --yes build-essential python3 libsqlite3-dev')
    process.exitCode = 1
  }
}
