/** An agreement as an agent takes it: its text, and the files that it names; an older agent knows no files. */
export function agreementBody({ text, files }: { text: string; files: Readonly<Record<string, string>> }): {
  text: string
  files?: Readonly<Record<string, string>>
} {
  return Object.keys(files).length === 0 ? { text } : { text, files }
}
