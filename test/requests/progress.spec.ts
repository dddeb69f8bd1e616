import { expect } from 'chai'
import { Progress } from '../../agent/requests/progress.ts'

const never = new AbortController().signal

async function all(progress: Progress, signal = never): Promise<string[]> {
  const seen: string[] = []
  for await (const event of progress.watch(signal)) seen.push(`${event.sequence} ${event.message}`)
  return seen
}

describe('the progress of a request', () => {
  it('is told from the start to whoever comes late, and ends', async () => {
    const progress = new Progress()
    progress.tell(0, 'discovering', 'discover', 'looks')
    progress.tell(1, 'completed', 'end', 'done')
    expect(progress.ended).to.equal(true)
    expect(await all(progress)).to.deep.equal(['1 looks', '2 done'])
  })

  it('is told as it happens, to all who watch', async () => {
    const progress = new Progress()
    const watchers = [all(progress), all(progress)]
    progress.tell(0, 'negotiating', 'offer', 'asks')
    progress.tell(5, 'failed', 'end', 'failed')
    expect(await Promise.all(watchers)).to.deep.equal(Array(2).fill(['1 asks', '2 failed']))
  })

  it('waits for what comes next', async () => {
    const progress = new Progress()
    const watcher = progress.watch(never)
    const first = watcher.next()
    progress.tell(0, 'running', 'run', 'one')
    expect((await first).value).to.include({ sequence: 1, status: 'running', at: '1970-01-01T00:00:00.000Z' })
    const second = watcher.next()
    progress.tell(1, 'running', 'run', 'two')
    expect((await second).value).to.include({ sequence: 2, message: 'two' })
    await watcher.return(undefined)
  })

  it('is told to its end to whoever takes a step while the last one is told', async () => {
    const progress = new Progress()
    progress.tell(0, 'running', 'run', 'one')
    const watcher = progress.watch(never)
    await watcher.next()
    progress.tell(1, 'completed', 'end', 'done')
    expect((await watcher.next()).value).to.include({ message: 'done' })
    expect((await watcher.next()).done).to.equal(true)
  })

  it('says the same thing once, except bytes that move', async () => {
    const progress = new Progress()
    progress.tell(0, 'running', 'run', 'works')
    progress.tell(1, 'running', 'run', 'works')
    progress.tell(2, 'running', 'transfer', 'flow 0', { bytes: 1 })
    progress.tell(3, 'running', 'transfer', 'flow 0', { bytes: 2 })
    progress.tell(4, 'completed', 'end', 'done')
    expect(await all(progress)).to.deep.equal(['1 works', '2 flow 0', '3 flow 0', '4 done'])
  })

  it('goes on counting after what an earlier run of the agent told', async () => {
    const progress = new Progress(1000)
    progress.tell(0, 'running', 'run', 'goes on')
    progress.tell(1, 'completed', 'end', 'done')
    expect(await all(progress)).to.deep.equal(['1001 goes on', '1002 done'])
  })

  it('is over after a final status: nothing is added', async () => {
    for (const status of ['completed', 'refused', 'failed', 'cancelled', 'timed-out'] as const) {
      const progress = new Progress()
      progress.tell(0, status, 'end', status)
      progress.tell(1, 'running', 'run', 'again')
      expect(await all(progress), status).to.deep.equal([`1 ${status}`])
    }
  })

  it('ends for a watcher that goes, before and while it waits', async () => {
    const progress = new Progress()
    progress.tell(0, 'running', 'run', 'works')
    expect(await all(progress, AbortSignal.abort())).to.deep.equal(['1 works'])
    const leaving = new AbortController()
    const watching = all(progress, leaving.signal)
    leaving.abort()
    expect(await watching).to.deep.equal(['1 works'])
  })

  it('keeps the first and the latest of very many', async () => {
    const progress = new Progress()
    for (let at = 0; at < 2000; at++) progress.tell(at, 'running', 'transfer', 'moves', { bytes: at })
    progress.tell(2000, 'completed', 'end', 'done')
    const seen = await all(progress)
    expect(seen).to.have.length(500)
    expect(seen[0]).to.equal('1 moves')
    expect(seen.at(-1)).to.equal('2001 done')
  })
})
