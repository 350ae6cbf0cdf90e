/** The method without its rates: `gptq:3:128+lowrank` belongs to `gptq+lowrank`; a line of the plot joins a family. */
export function methodFamily(method: string): string {
  return method
    .split('+')
    .map(part => part.split(':', 1)[0]!)
    .join('+');
}
