namespace LoggingService.Rooms;

/// <summary>Logs lines of the service itself (<see cref="Note"/>) in rooms' logs.</summary>
internal sealed class RoomNotes
{
    /// <summary>Appends a note to the journal.</summary>
    public Func<RoomEvent, Task> Append { private get; set; } = static _ => Task.CompletedTask;

    /// <summary>
    /// Logs a note, durably. A note that was logged is dropped as a known event. Nothing must follow
    /// <see cref="Note.LoggingStopped"/>: the last line tells whether logging has stopped.
    /// </summary>
    /// <exception cref="IOException">The journal can't be written.</exception>
    public Task LogAsync(RoomEvent note) => Append(note);
}
