using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>What the writer appends to: the log of a room, or the quarantine, open for one day.</summary>
internal abstract class DayLog : IDisposable
{
    public abstract DateOnly Day { get; }

    /// <summary>Appends entries of this day, with one write for each file.</summary>
    /// <param name="isReplay">The entries are not known to be synced: a crash may have lost their lines, and not their ids.</param>
    /// <returns>The appended lines, valid until the next append; none for the quarantine and for known events.</returns>
    /// <exception cref="FileChangedException">Another program changed a file: the log must be disposed, and the room repaired.</exception>
    /// <exception cref="IOException">The disk is full or failed: as above.</exception>
    public abstract IReadOnlyList<LoggedLine> Append(IReadOnlyList<RoomEntry> entries, bool isReplay = false);

    /// <summary>Whether the paths still lead to the files, as the last append left them.</summary>
    public abstract bool IsUnchanged();

    /// <summary>Syncs the files and their folder. Another thread may append meanwhile.</summary>
    /// <exception cref="SyncFailedException">An fsync failed: the room must be repaired into new files.</exception>
    /// <exception cref="ObjectDisposedException">The log was closed meanwhile.</exception>
    public abstract void Sync();

    /// <summary>Bytes of the filter of known ids.</summary>
    public virtual long FilterSize => 0;

    /// <summary>Frees the memory of the filter of known ids.</summary>
    public virtual void DropFilter()
    {
    }

    /// <summary>Saves what makes the next opening fast. Nothing must be appended afterwards.</summary>
    public virtual void Save()
    {
    }

    public abstract void Dispose();
}
