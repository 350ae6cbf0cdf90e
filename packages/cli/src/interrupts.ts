const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

let handler = endProcess;

/** Takes Ctrl-C and SIGTERM over for the whole life of the process: they end it with code 130 unless a command handles them. */
export function catchInterrupts(): void {
  for (const signal of SIGNALS) process.on(signal, () => handler());
}

/** Lets a command handle interrupts until the function returned is called. */
export function handleInterrupts(own: () => void): () => void {
  handler = own;
  return () => {
    handler = endProcess;
  };
}

function endProcess(): void {
  process.stderr.write('quern: Interrupted. [INTERRUPTED]\n');
  process.exit(130);
}
