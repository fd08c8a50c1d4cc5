namespace LoggingService.Transactions;

/// <summary>What the journal holds and the rooms' files do not have yet.</summary>
/// <param name="Bytes">The size of the journal's segments.</param>
/// <param name="OldestAge">How long the oldest entry has waited to be written; zero if there is none. By a monotonic clock.</param>
internal readonly record struct Backlog(long Bytes, TimeSpan OldestAge);
