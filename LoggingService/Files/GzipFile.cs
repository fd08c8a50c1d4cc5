using System.Buffers;
using System.IO.Compression;

namespace LoggingService.Files;

/// <summary>
/// A gzip file, read at offsets of its content. Of a file of <see cref="GzipMembers"/> only the member of the offset is decompressed;
/// any other is decompressed from its start to the offset, once for offsets in their order. Used by one thread at a time.
/// </summary>
/// <param name="file">Disposed with this.</param>
internal sealed class GzipFile(FileStream file) : IDisposable
{
    /// <summary>The member that was decompressed last, for the next reader: a lookup reads the same line twice.</summary>
    private static Decompressed? s_last;

    private readonly (Posix.FileIdentity, long) _identity =
        (Posix.Stat(file.SafeFileHandle, file.Name), File.GetLastWriteTimeUtc(file.SafeFileHandle).Ticks);

    private List<Member>? _members;
    private Decompressed? _current;
    private GZipStream? _stream;
    private long _position;
    private long? _length;

    /// <summary>Bytes of the content. Slow for a file of another program: all of it is decompressed.</summary>
    /// <exception cref="DamagedFileException">The file is damaged.</exception>
    public long Length
    {
        get
        {
            if (Members.Count > 0)
            {
                return Members[^1].Offset + Members[^1].Content;
            }

            if (_length is null)
            {
                Skip(long.MaxValue);
                _length = _position;
            }

            return _length.Value;
        }
    }

    /// <summary>The members; none of a file of another program.</summary>
    private List<Member> Members => _members ??= ReadMembers();

    /// <summary>Reads bytes of the content; returns how many, 0 at its end.</summary>
    /// <exception cref="DamagedFileException">The file is damaged.</exception>
    public int ReadAt(long offset, Span<byte> output)
    {
        if (Members.Count == 0)
        {
            Skip(offset);
            return _position == offset ? ReadStream(output) : 0;
        }

        // Members without content are of empty files only.
        var index = Members.FindLastIndex(member => member.Offset <= offset);
        var member = Members[index];
        var start = (int)Math.Min(offset - member.Offset, member.Content);
        var length = Math.Min(output.Length, member.Content - start);
        Decompress(member).AsSpan(start, length).CopyTo(output);
        return length;
    }

    public void Dispose()
    {
        if (_current is not null)
        {
            s_last = _current;
        }

        _stream?.Dispose();
        file.Dispose();
    }

    private List<Member> ReadMembers()
    {
        var members = new List<Member>();
        Span<byte> header = stackalloc byte[GzipMembers.HeaderLength];
        var offset = 0L;
        for (var position = 0L; position < file.Length;)
        {
            var read = RandomAccess.Read(file.SafeFileHandle, header, position);
            if (GzipMembers.ReadHeader(header[..read]) is not { } lengths || position + lengths.Length > file.Length)
            {
                // Another program wrote it, or a part of it.
                return [];
            }

            members.Add(new(position, lengths.Length, offset, lengths.Content));
            position += lengths.Length;
            offset += lengths.Content;
        }

        return members;
    }

    private byte[] Decompress(Member member)
    {
        var key = (_identity, member.Position);
        if (_current is not null && _current.Key == key)
        {
            return _current.Content;
        }

        var last = Interlocked.Exchange(ref s_last, null);
        if (last is not null && last.Key == key)
        {
            _current = last;
            return last.Content;
        }

        var content = _current?.Content ?? last?.Content ?? new byte[GzipMembers.MaxContent];
        _current = null;
        var compressed = ArrayPool<byte>.Shared.Rent(member.Length);
        try
        {
            var length = RandomAccess.Read(file.SafeFileHandle, compressed.AsSpan(0, member.Length), member.Position);
            using var stream = new GZipStream(new MemoryStream(compressed, 0, length), CompressionMode.Decompress);
            stream.ReadExactly(content, 0, member.Content);
            if (stream.ReadByte() >= 0)
            {
                throw new InvalidDataException("A member is longer than its header says");
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new DamagedFileException(file.Name, $"{e.Message} (member at byte {member.Position})");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(compressed);
        }

        _current = new(key, content);
        return content;
    }

    /// <summary>Moves the stream to an offset, or to its end.</summary>
    private void Skip(long offset)
    {
        if (_stream is null || offset < _position)
        {
            _stream?.Dispose();
            file.Position = 0;
            _stream = new(file, CompressionMode.Decompress, leaveOpen: true);
            _position = 0;
        }

        var skipped = ArrayPool<byte>.Shared.Rent(64 * 1024);
        while (_position < offset && ReadStream(skipped.AsSpan(0, (int)Math.Min(skipped.Length, offset - _position))) > 0)
        {
        }

        ArrayPool<byte>.Shared.Return(skipped);
    }

    private int ReadStream(Span<byte> output)
    {
        try
        {
            var read = _stream!.Read(output);
            _position += read;
            return read;
        }
        catch (InvalidDataException e)
        {
            throw new DamagedFileException(file.Name, e.Message);
        }
    }

    private readonly record struct Member(long Position, int Length, long Offset, int Content);

    private sealed record Decompressed(((Posix.FileIdentity, long) File, long Position) Key, byte[] Content);
}
