using LoggingService.Files;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>A day's file, open for appending. A batch is durable in the journal before it is written; the checkpoint syncs it.</summary>
internal sealed class DayFile : IDisposable
{
    private SafeFileHandle _file;
    private readonly string _path;
    private bool _isWritten;

    private DayFile(string name, string path, SafeFileHandle file)
    {
        Name = name;
        _path = path;
        _file = file;
        State = Posix.Stat(file, path);
    }

    public string Name { get; }

    public long Length => State.Length;

    public Posix.FileIdentity State { get; private set; }

    /// <summary>Bytes of the current batch, which belong at <see cref="Length"/>.</summary>
    public PendingBytes Pending { get; } = new();

    public static DayFile Open(string root, string name)
    {
        var path = Path.Combine(root, name);
        return new(name, path, Posix.OpenOrCreate(path));
    }

    /// <summary>False if another process deleted, moved, replaced or resized the file since the last write.</summary>
    public bool IsUntouched() => Posix.Stat(_path) == State;

    /// <summary>Writes the pending bytes, which stay pending until <see cref="Commit"/>.</summary>
    /// <exception cref="IOException">Some of them may not be in the file.</exception>
    public void Write()
    {
        _isWritten = true;
        RandomAccess.Write(_file, Pending.Span, State.Length);

        // A file that was moved keeps the bytes; in one that was removed or replaced they would be lost.
        if (Posix.IsRemoved(_file, _path))
        {
            throw new IOException($"{_path} was removed or replaced during the write");
        }
    }

    public void Commit()
    {
        State = State with { Length = State.Length + Pending.Length };
        Forget();
    }

    /// <summary>Discards the pending bytes, and truncates the file to its length before <see cref="Write"/>.</summary>
    public void Rollback()
    {
        if (_isWritten && RandomAccess.GetLength(_file) > State.Length)
        {
            RandomAccess.SetLength(_file, State.Length);
        }

        Forget();
    }

    /// <summary>Truncates the file, outside of a batch. The next write there goes through the journal, with its offset.</summary>
    public void Cut(long length)
    {
        RandomAccess.SetLength(_file, length);
        State = State with { Length = length };
    }

    /// <summary>No-op when the file is closed; the next checkpoint syncs it by path.</summary>
    public void Sync()
    {
        if (!_file.IsClosed)
        {
            Posix.Sync(_file, _path);
        }
    }

    /// <summary>Reads bytes of the file, followed by the pending ones; returns 0 at the end.</summary>
    public int Read(long offset, Span<byte> buffer)
    {
        if (offset < State.Length)
        {
            return RandomAccess.Read(_file, buffer[..(int)Math.Min(buffer.Length, State.Length - offset)], offset);
        }

        var rest = Pending.Span[(int)(offset - State.Length)..];
        rest = rest[..Math.Min(rest.Length, buffer.Length)];
        rest.CopyTo(buffer);
        return rest.Length;
    }

    public void Rest()
    {
        _file.Dispose();
        Forget();
    }

    /// <summary>Reopens the file; throws <see cref="IOException"/> if it has changed.</summary>
    public void Wake()
    {
        _file = Posix.OpenOrCreate(_path);
        if (Posix.Stat(_file, _path) != State)
        {
            throw new IOException($"{_path} was moved, removed or changed while it was closed");
        }
    }

    public void Dispose() => Rest();

    private void Forget()
    {
        _isWritten = false;
        Pending.Clear();
    }
}
