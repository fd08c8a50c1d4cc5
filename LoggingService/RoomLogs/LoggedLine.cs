namespace LoggingService.RoomLogs;

/// <summary>An event that was appended to its room's log.</summary>
/// <param name="Line">Its line of the text, with time and line break; valid until the next append.</param>
internal readonly record struct LoggedLine(RoomEvent Event, ReadOnlyMemory<byte> Line)
{
    /// <summary>The day of the record.</summary>
    public DateOnly Day { get; init; }
}
