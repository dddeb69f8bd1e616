import type { ReceiptView } from '../../api/index.ts'
import type { Style } from './style.ts'
import { type Cell, table } from './table.ts'
import { bytesInWords, timeInWords } from './units.ts'

const hidden: Cell = { mark: 'hidden' }

/** What each party did and what it cost, as it signed it. */
export function renderReceipts(
  receipts: readonly ReceiptView[],
  options: { columns?: number; style: Style }
): string {
  return table(
    [
      { title: 'hop' },
      { title: 'service' },
      { title: 'rows', align: 'right' },
      { title: 'size', align: 'right' },
      { title: 'time', align: 'right' },
      { title: 'CPU s', align: 'right' },
      { title: 'J', align: 'right' },
      { title: 'wiped', align: 'right' }
    ],
    receipts.map((receipt) => [
      receipt.hop,
      receipt.service,
      receipt.rows === null ? hidden : String(receipt.rows),
      receipt.bytes === null ? hidden : bytesInWords(receipt.bytes),
      timeInWords(receipt.milliseconds),
      receipt.cpuSeconds.toFixed(3),
      `${receipt.joules.toFixed(2)}${receipt.energy === 'estimated' ? '*' : ''}`,
      receipt.wiped === null ? '–' : bytesInWords(receipt.wiped.bytes)
    ]),
    options
  )
}
