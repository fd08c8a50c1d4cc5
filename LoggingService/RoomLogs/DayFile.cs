using LoggingService.Files;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>
/// One file of one day, opened to be appended to. A batch's bytes wait in <see cref="Pending"/>, so that the journal can
/// have them, with the offset that they will stand at, before the file does. Nothing here syncs: that is the journal's
/// and the checkpoint's part.
/// </summary>
internal sealed class DayFile : IDisposable
{
    private SafeFileHandle _file;
    private readonly string _path;
    private Posix.FileIdentity _state;
    private bool _isWritten;

    private DayFile(string name, string path, SafeFileHandle file)
    {
        Name = name;
        _path = path;
        _file = file;
        _state = Posix.Stat(file, path);
    }

    /// <summary>The file's path within the log directory; the journal's name for it.</summary>
    public string Name { get; }

    /// <summary>Bytes of the file that batches have committed.</summary>
    public long Length => _state.Length;

    /// <summary>Which file it is, as the last batch left it.</summary>
    public Posix.FileIdentity State => _state;

    /// <summary>The bytes of the batch in hand, which will stand at <see cref="Length"/>.</summary>
    public PendingBytes Pending { get; } = new();

    /// <summary>Opens the file, made if it isn't there.</summary>
    /// <param name="root">The log directory.</param>
    /// <param name="name">The file's path within it.</param>
    public static DayFile Open(string root, string name)
    {
        var path = Path.Combine(root, name);
        return new(name, path, Posix.OpenOrCreate(path));
    }

    /// <summary>False if somebody deleted, moved, replaced, cut or lengthened the file since the last write.</summary>
    public bool IsUntouched() => Posix.Stat(_path) == _state;

    /// <summary>
    /// Puts the pending bytes into the file. They stay pending, and <see cref="Length"/> where it was, until
    /// <see cref="Commit"/>. Throws <see cref="IOException"/> where they may not all be in the file.
    /// </summary>
    public void Write()
    {
        _isWritten = true;
        RandomAccess.Write(_file, Pending.Span, _state.Length);

        // One that was moved has them; of one that was removed or replaced meanwhile nobody would read them.
        if (Posix.IsRemoved(_file, _path))
        {
            throw new IOException($"{_path} was removed or replaced during the write");
        }
    }

    /// <summary>The written bytes belong to the file now.</summary>
    public void Commit()
    {
        _state = _state with { Length = _state.Length + Pending.Length };
        Forget();
    }

    /// <summary>Forgets the pending bytes, and cuts the file back to what it was before <see cref="Write"/>.</summary>
    public void Rollback()
    {
        if (_isWritten && RandomAccess.GetLength(_file) > _state.Length)
        {
            RandomAccess.SetLength(_file, _state.Length);
        }

        Forget();
    }

    /// <summary>Cuts the file to a length, outside of a batch. What is written there next goes through the journal, with where it stands.</summary>
    public void Cut(long length)
    {
        RandomAccess.SetLength(_file, length);
        _state = _state with { Length = length };
    }

    /// <summary>fsync; one that rests is the next checkpoint's part.</summary>
    public void Sync()
    {
        if (!_file.IsClosed)
        {
            Posix.Sync(_file, _path);
        }
    }

    /// <summary>Reads bytes of the file, the pending ones after it included.</summary>
    /// <returns>How many were read; 0 at the end.</returns>
    public int Read(long offset, Span<byte> buffer)
    {
        if (offset < _state.Length)
        {
            return RandomAccess.Read(_file, buffer[..(int)Math.Min(buffer.Length, _state.Length - offset)], offset);
        }

        var rest = Pending.Span[(int)(offset - _state.Length)..];
        rest = rest[..Math.Min(rest.Length, buffer.Length)];
        rest.CopyTo(buffer);
        return rest.Length;
    }

    /// <summary>Closes the file, between two batches.</summary>
    public void Rest()
    {
        _file.Dispose();
        Forget();
    }

    /// <summary>Opens the file again after a rest; throws <see cref="IOException"/> where it is not the file that it was.</summary>
    public void Wake()
    {
        _file = Posix.OpenOrCreate(_path);
        if (Posix.Stat(_file, _path) != _state)
        {
            throw new IOException($"{_path} was moved, removed or changed while it was closed");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Rest();

    private void Forget()
    {
        _isWritten = false;
        Pending.Clear();
    }
}
