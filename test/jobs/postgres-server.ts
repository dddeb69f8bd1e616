import { execFile, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'

const run = promisify(execFile)
const ROOT = '/usr/lib/postgresql'
const SECRET = 'correct horse battery'

/** A PostgreSQL server of a test's own, with a database `hr` and a role `reader` that may only read. */
export interface PostgresServer {
  /** The password of `reader`, which shall be nowhere. */
  secret: string
  port: number
  /** As its owner. */
  sql(text: string): Promise<void>
  /** The file that tells an agent how to reach it. */
  describe(path: string, changes?: Record<string, unknown>): Promise<string>
  /** Kills it, as a machine that loses its power. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Skips a suite where there is no server to test with. */
export async function needsPostgres(context: Mocha.Context): Promise<PostgresServer> {
  return (await findPostgres()) ?? context.skip()
}

/** A server; says loudly that there is none. */
export async function findPostgres(): Promise<PostgresServer | undefined> {
  const programs = existsSync(ROOT)
    ? readdirSync(ROOT)
        .map((version) => join(ROOT, version, 'bin'))
        .filter((folder) => existsSync(join(folder, 'initdb')))
    : []
  const bin = programs.at(-1)
  if (bin === undefined) {
    console.error(
      '\n!!! POSTGRESQL NOT TESTED: no server here\n!!! to mend it: apt-get install --yes postgresql\n'
    )
    return undefined
  }
  return await startServer(bin)
}

async function startServer(bin: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamos-postgres-'))
  // a server refuses to be root
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const env = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' }
  await run(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'owner', '--no-sync', '-E', 'UTF8'], {
    ...user,
    env,
    cwd: folder
  })
  await writeFile(
    join(data, 'pg_hba.conf'),
    'local all owner trust\nhost all reader 127.0.0.1/32 scram-sha-256\n'
  )
  const port = await freePort()
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, fsync: 'off' }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...options], {
    ...user,
    env,
    cwd: folder,
    stdio: 'ignore'
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const psql = async (database: string, text: string) => {
    const args = [
      '-h',
      folder,
      '-p',
      String(port),
      '-U',
      'owner',
      '-v',
      'ON_ERROR_STOP=1',
      '-qc',
      text,
      database
    ]
    await run(join(bin, 'psql'), args, { env, cwd: folder })
  }
  await run(join(bin, 'pg_isready'), ['-h', folder, '-p', String(port), '-t', '20'], { env }).catch(
    () => undefined
  )
  for (let tries = 0; ; tries++) {
    try {
      await psql('postgres', 'SELECT 1')
      break
    } catch (error) {
      if (tries === 100 || server.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  await psql('postgres', 'CREATE DATABASE hr')
  await psql(
    'hr',
    `CREATE ROLE reader LOGIN PASSWORD '${SECRET}'; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader`
  )
  const kill = async (): Promise<void> => {
    server.kill('SIGQUIT')
    await ended
  }
  return {
    secret: SECRET,
    port,
    sql: async (text) => await psql('hr', text),
    async describe(path, changes = {}) {
      const file = { host: '127.0.0.1', port, database: 'hr', user: 'reader', password: SECRET, tls: 'off' }
      await writeFile(path, stringify({ ...file, ...changes }))
      await chmod(path, 0o600)
      return path
    },
    kill,
    async stop() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

function idOf(which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
