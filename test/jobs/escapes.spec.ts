import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { expect } from 'chai'
import type { JobFolder, Launcher } from '../../agent/jobs/index.ts'
import { attacks, FS, HOSTILE, hostProcesses } from './hostile.ts'
import { aLauncher, cleanUp, needsBubblewrap, temporaryFolder } from './launchers.ts'

const SHELL = "const { spawn, spawnSync } = await load('node:child_process');"

// each also with the list of system calls, which stops most of them before they begin
for (const systemCalls of [false, true]) {
  describe(`a job that breaks out, ${systemCalls ? 'held to' : 'beneath'} the list of system calls`, () => {
    let launcher: Launcher
    let root: string
    let folder: JobFolder
    cleanUp()
    before(async function () {
      await needsBubblewrap(this)
      root = await temporaryFolder()
      launcher = await aLauncher({ folder: root, runner: HOSTILE, sandbox: 'bubblewrap', systemCalls })
      if (systemCalls && !launcher.isolation.includes('seccomp')) {
        console.error(`\n!!! SYSTEM CALLS NOT TESTED: this machine (${process.arch}) has no list of them\n`)
        this.skip()
      }
    })
    beforeEach(async () => {
      folder = await launcher.folder()
    })
    afterEach(async () => {
      await folder.wipe()
      expect(await readdir(root)).to.deep.equal([])
    })
    const { attack, sees } = attacks(() => ({ launcher, folder }))

    it('has no privilege, and can get none', async () => {
      const status = String(await sees(`${FS} return await fs.readFile('/proc/self/status', 'utf8')`))
      const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(field(set), set).to.equal('0000000000000000')
      expect(field('NoNewPrivs')).to.equal('1')
      expect(field('Seccomp')).to.equal(systemCalls ? '2' : '0')
    })

    it('holds nothing open but its pipes and the runtime’s own', async () => {
      const code = `${FS} const found = []; for (const name of await fs.readdir('/proc/self/fd')) found.push(await fs.readlink('/proc/self/fd/' + name).catch(() => 'gone')); return found`
      const open = await sees(code)
      const own = /^(gone|socket:|pipe:|anon_inode:|\/dev\/null$|\/proc\/\d+\/fd$|\/app\/)/
      expect(Array.isArray(open) ? open.filter((name) => !own.test(String(name))) : open).to.deep.equal([])
    })

    it('reaches no socket of the host: abstract, datagram, kernel', async () => {
      const server = createServer((socket) => socket.destroy()).listen(`\0dynamos-test-${process.pid}`)
      const heard: string[] = []
      const datagrams = createSocket('udp4', (message) => heard.push(message.toString()))
      datagrams.bind(0, '127.0.0.1')
      await Promise.all([once(server, 'listening'), once(datagrams, 'listening')])
      const code = `
        const net = await load('node:net'); const dgram = await load('node:dgram'); const os = await load('node:os');
        const abstract = await new Promise((resolve) => net.connect('\\0dynamos-test-${process.pid}').on('connect', () => resolve('connected')).on('error', (e) => resolve(e.code)));
        const sent = await new Promise((resolve) => dgram.createSocket('udp4').on('error', (e) => resolve(e.code)).send('x', ${datagrams.address().port}, '127.0.0.1', (e) => resolve(e?.code ?? 'sent')));
        let interfaces; try { interfaces = Object.values(os.networkInterfaces()).flat().filter((one) => !one.internal).length } catch { interfaces = 0 }
        return { abstract, sent, interfaces }`
      const found = await sees(code)
      server.close()
      datagrams.close()
      expect(found).to.deep.include({ interfaces: 0 })
      expect(found).to.have.property('abstract').that.is.oneOf(['ECONNREFUSED', 'EPERM', 'EACCES'])
      expect(heard).to.deep.equal([])
    })

    it('writes to no device and no memory that counts as none', async () => {
      const paths = ['/dev/shm/x', '/dev/x', '/dev/mqueue/x', '/dev/pts/0', '/proc/sysrq-trigger']
      const more = ['/proc/sys/kernel/core_pattern', '/proc/1/oom_score_adj', '/proc/1/mem']
      const code = `${FS} const found = {}; for (const path of ${JSON.stringify([...paths, ...more])}) found[path] = await fs.writeFile(path, 'x').then(() => 'written', (e) => e.code); return found`
      expect(Object.values(Object(await sees(code)))).to.not.include('written')
    })

    it('sees the devices that are none, and no other', async () => {
      const code = `${FS} return (await fs.readdir('/dev')).sort()`
      const harmless = ['core', 'fd', 'full', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin']
      expect(harmless.concat('stdout', 'tty', 'urandom', 'zero', 'console')).to.include.members(
        Object.values(Object(await sees(code)))
      )
    })

    it('links to no file of another place', async () => {
      const code = `${FS} const found = []; for (const path of ['/usr/bin/env', '/app/runner.mjs', '/proc/1/environ']) found.push(await fs.link(path, '/job/out/x').then(() => 'linked', (e) => e.code)); return found`
      expect(await sees(code)).to.not.include('linked')
    })

    it('outlives itself in no child', async () => {
      await sees(
        `${SHELL} const child = spawn('/usr/bin/setsid', ['-f', '/bin/sh', '-c', '(while :; do echo x > /job/out/late; done) & exec sleep 87654'], { detached: true, stdio: 'ignore' }); child.on('error', () => {}); child.unref(); await new Promise((resolve) => setTimeout(resolve, 200)); return 0`
      )
      // at once: nothing waits for it any more
      expect(await hostProcesses('87654')).to.deep.equal([])
      expect(await hostProcesses('/job/out/late')).to.deep.equal([])
    })

    it('that multiplies leaves others room to work', async () => {
      const other = await launcher.folder()
      const bomb = attack(
        `${SHELL} const code = 'while :; do sleep 1000 & sleep 1000 & done'; for (;;) { spawn('/bin/sh', ['-c', code], { stdio: 'ignore' }).on('error', () => {}); await new Promise((resolve) => setImmediate(resolve)) }`,
        { seconds: 1 }
      )
      const beside = attacks(() => ({ launcher, folder: other }))
      expect(await beside.sees('return 7')).to.equal(7)
      expect((await bomb).code).to.be.oneOf(['job-timeout', 'job-killed', 'internal', 'memory-limit'])
      expect(await hostProcesses('while :; do sleep')).to.deep.equal([])
      await other.wipe()
    })

    it('is ended for filling the disk with files that have no name', async () => {
      const code = `const fs = await load('node:fs'); const held = []; for (let i = 0; ; i++) { const file = fs.openSync('/job/out/x', 'w'); fs.unlinkSync('/job/out/x'); fs.writeSync(file, Buffer.alloc(1024 * 1024)); held.push(file); await new Promise((resolve) => setTimeout(resolve, 10)) }`
      expect((await attack(code, { disk: 8 * 1024 * 1024 })).code).to.equal('disk-limit')
    })

    for (const [where, code] of [
      ['with empty files', `${FS} for (let i = 0; ; i++) await fs.writeFile('/job/out/' + i, '')`],
      [
        'below folders without end',
        "const fs = await load('node:fs'); process.chdir('/job/out'); for (let depth = 0; ; depth++) { if (depth < 100) { fs.mkdirSync('d'); process.chdir('d') } else await new Promise((resolve) => setTimeout(resolve, 10)) }"
      ]
    ]) {
      it(`is ended for filling the disk ${where}`, async () => {
        expect((await attack(String(code), { disk: 1024 * 1024 })).code).to.equal('disk-limit')
      })
    }

    it('leaves no folder that cannot be removed', async () => {
      const failure = await attack(
        `const fs = await load('node:fs'); process.chdir('/job/out'); for (let i = 0; i < 30; i++) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)) } fs.writeFileSync('x', 'hidden'); fs.mkdirSync('/job/tmp/closed'); try { fs.symlinkSync('/etc', '/job/tmp/closed/link'); fs.chmodSync('/job/tmp/closed', 0); fs.chmodSync('/job/tmp', 0) } catch {} return 0`
      )
      // or sooner, when it is seen while it is at it
      expect(failure.code).to.be.oneOf(['internal', 'disk-limit'])
      expect(await folder.wipe()).to.be.at.least(0)
      expect(await readdir('/etc')).to.not.deep.equal([])
    })

    it('is not believed when it answers before it is asked, or twice', async () => {
      const twice = `process.stdout.write('{"report":{"kind":"error","code":"internal","message":"1"},"usage":{"cpuSeconds":0,"maxRss":0}}\\n'.repeat(2)); for (;;) {}`
      expect((await attack(twice)).localMessage).to.equal('the runner said something that nobody asked for')
    })

    for (const [what, text] of [
      ['nested without end', "'['.repeat(4e6)"],
      ['no text', "Buffer.alloc(1e6, 0xff).toString('latin1')"],
      ['a number', "'1e999'"],
      ['another’s prototype', '\'{"__proto__":{"report":1}}\'']
    ]) {
      it(`is not believed when its answer is ${what}`, async () => {
        const failure = await attack(
          `await new Promise((resolve) => process.stdout.write(${text} + '\\n', resolve)); for (;;) {}`
        )
        expect(failure.code).to.equal('internal')
      })
    }

    for (const path of ['../x', '/etc/passwd', 'out/../../x', 'out/x\\u0000', 'in/../../../etc/passwd']) {
      it(`cannot name ${JSON.stringify(path)} as its output`, async () => {
        const part = `{"path":"${path}","bytes":1,"rows":0,"digest":"${'0'.repeat(64)}"}`
        const report = `{"kind":"query","columns":[],"rows":0,"steps":[],"parts":[${part}]}`
        const answer = `{"report":${report},"usage":{"cpuSeconds":0,"maxRss":0}}`
        const failure = await attack(`process.stdout.write(${JSON.stringify(answer)} + '\\n'); for (;;) {}`)
        expect(failure.code).to.equal('internal')
      })
    }

    it('is ended at its deadline though it floods the local log, of which little is kept', async () => {
      const code =
        "for (;;) if (!process.stderr.write('x'.repeat(65536))) await new Promise((resolve) => process.stderr.once('drain', resolve))"
      const before = process.memoryUsage().rss
      expect((await attack(code, { seconds: 1 })).code).to.equal('job-timeout')
      expect(process.memoryUsage().rss - before).to.be.below(128 * 1024 * 1024)
    })

    it('hits only itself with signals', async () => {
      const other = await launcher.folder()
      const beside = attacks(() => ({ launcher, folder: other }))
      const [hit, spared] = await Promise.all([
        attack(
          "for (const [pid, signal] of [[1, 'SIGKILL'], [-1, 'SIGKILL'], [process.ppid, 'SIGKILL']]) try { process.kill(pid, signal) } catch {} return 0"
        ),
        beside.sees('await new Promise((resolve) => setTimeout(resolve, 300)); return 7')
      ])
      expect(hit.code).to.be.oneOf(['job-killed', 'internal'])
      expect(spared).to.equal(7)
      await other.wipe()
    })
  })
}
