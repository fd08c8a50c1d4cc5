namespace LoggingService.Visibility;

/// <summary>Why a reader sees only that there was an event.</summary>
internal enum StubReason : byte
{
    /// <summary>It was redacted, also with all events of its sender (MSC4293), or it repeats an event that was.</summary>
    Removed,

    /// <summary>Its sender did not want it to be logged.</summary>
    NotLogged,

    /// <summary>It was erased from the log.</summary>
    Erased,

    /// <summary>An admin hid it, or its sender (<see cref="HiddenEvents"/>).</summary>
    Hidden,
}
