namespace LoggingService.Cli;

internal enum ExportFormat
{
    Text,
    Jsonl,
    Element,
    Html,
}

/// <summary>What is exported: a room, or all events of a user.</summary>
/// <param name="Room">The name of the room's folder; <c>null</c> for all rooms.</param>
/// <param name="User">Only the events that this user sent, or that are about the user's membership.</param>
/// <param name="From">The first day; <c>null</c> for the oldest.</param>
/// <param name="To">The last day; <c>null</c> for the newest.</param>
internal sealed record ExportRequest(string? Room, string? User, DateOnly? From, DateOnly? To, ExportFormat Format)
{
    public string Extension => Format switch { ExportFormat.Text => ".log", ExportFormat.Jsonl => ".jsonl", _ => ".json" };

    public bool Contains(DateOnly day) => !(day < From) && !(day > To);

    /// <summary>One line, which an interrupted export is recognized by.</summary>
    public override string ToString() => $"{Format} {Room ?? "-"} {User ?? "-"} {From:yyyyMMdd}-{To:yyyyMMdd}";
}
