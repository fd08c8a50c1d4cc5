using System.IO.Hashing;
using System.Runtime.InteropServices;
using LoggingService.Files;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>A day's <c>.ids</c> file: a header, the entries sorted by hash; each 4 KiB end with a checksum.</summary>
internal sealed class EventIdFile
{
    // "ls_ids" and a version: the format may change at any time, as the file is derived from the record.
    private const ulong Magic = 0x0003_7364_695F_736C;
    private const int HeaderWords = 8;
    private const int TooManyOpenFiles = 24;
    private const int TooManyOpenFilesInSystem = 23;
    private const int BlockWords = 512;
    private const int PayloadWords = BlockWords - 1;
    private readonly SafeFileHandle _file;
    private readonly Header _header;

    private EventIdFile(SafeFileHandle file)
    {
        _file = file;
        _header = MemoryMarshal.Cast<ulong, Header>(ReadWords(0, HeaderWords))[0];
    }

    public ulong Seed => _header.Seed;

    public long Count => _header.Entries;

    /// <exception cref="InvalidDataException">The file is missing, unreadable, damaged, or not of this record.</exception>
    /// <param name="record"><c>null</c> if retention removed it: its ids stay valid.</param>
    public static T Read<T>(string path, RecordStamp? record, Func<EventIdFile, T> read)
    {
        try
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            var ids = new EventIdFile(file);
            return ids._header.Magic == Magic && (record is null || record == ids._header.Record)
                ? read(ids)
                : throw new InvalidDataException($"{path} does not match its record");
        }
        catch (Exception e)
            when (e is IOException { HResult: not (TooManyOpenFiles or TooManyOpenFilesInSystem) } or UnauthorizedAccessException)
        {
            // An exhausted limit is no damage: without a record, there is nothing to rebuild the ids from.
            throw new InvalidDataException(e.Message, e);
        }
    }

    /// <summary>
    /// Replaces the file. It is not synced: what a power cut leaves has a wrong checksum or a stale header, and is rebuilt; a sync would
    /// cost each eviction, and each room at a stop, two fsyncs.
    /// </summary>
    public static void Write(string path, RecordStamp record, Posix.FileIdentity? text, EventIdTable table)
    {
        var entries = table.ToSortedArray();
        var header = new Header(Magic, table.Seed, record, text?.Inode ?? 0, text?.Length ?? 0, entries.Length);
        ulong[] words =
        [
            .. MemoryMarshal.Cast<Header, ulong>(new ReadOnlySpan<Header>(in header)),
            .. MemoryMarshal.Cast<EventIdEntry, ulong>(entries),
        ];
        var temporary = $"{path}.new";
        File.Delete(temporary);
        using (var file = new FileStream(Posix.OpenOrCreate(temporary), FileAccess.Write))
        {
            foreach (var payload in words.Chunk(PayloadWords))
            {
                var block = new ulong[BlockWords];
                payload.CopyTo(block, 0);
                block[PayloadWords] = Checksum(block, file.Position);
                file.Write(MemoryMarshal.AsBytes<ulong>(block));
            }
        }

        Posix.Rename(temporary, path);
    }

    /// <summary>Copies a file for a record that was compressed: the offsets stay. False if the file is not of the record.</summary>
    /// <param name="copy">The path of the copy, which is overwritten.</param>
    public static bool TryCopy(string path, string copy, RecordStamp record, RecordStamp compressed)
    {
        try
        {
            File.Copy(path, copy, overwrite: true);
            using var file = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite);
            var ids = new EventIdFile(file);
            if (ids._header.Magic != Magic || ids._header.Record != record)
            {
                return false;
            }

            var block = new ulong[BlockWords];
            RandomAccess.Read(file, MemoryMarshal.AsBytes(block.AsSpan()), 0);
            MemoryMarshal.Cast<ulong, Header>(block.AsSpan())[0] = ids._header with { Record = compressed };
            block[PayloadWords] = Checksum(block, position: 0);
            RandomAccess.Write(file, MemoryMarshal.AsBytes(block.AsSpan()), 0);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // The ids will be built again.
            return false;
        }
    }

    public bool HasText(Posix.FileIdentity? text) => (_header.TextInode, _header.TextLength) == (text?.Inode ?? 0, text?.Length ?? 0);

    /// <param name="hasLines">False if another program removed the record.</param>
    public EventIdTable ReadTable(bool hasLines)
    {
        var table = new EventIdTable(Seed, (int)_header.Entries);
        foreach (var entry in ReadEntries())
        {
            table.Set(entry.Hash, hasLines ? entry.Offset : DayEventIds.NoLine);
        }

        return table;
    }

    public EventIdEntry[] ReadEntries() => ReadEntries(0, (int)_header.Entries);

    /// <summary>Interpolation search: hashes are uniformly distributed, so a few reads suffice.</summary>
    public long? Find(ulong hash)
    {
        var start = 0;
        var end = (int)_header.Entries;
        var before = 0UL;
        var after = ulong.MaxValue;
        while (start < end)
        {
            var middle = start + (int)((end - start - 1) * ((double)(hash - before) / (after - before)));
            var entry = ReadEntries(middle, 1)[0];
            if (entry.Hash == hash)
            {
                return entry.Offset;
            }

            if (entry.Hash < hash)
            {
                start = middle + 1;
                before = entry.Hash;
            }
            else
            {
                end = middle;
                after = entry.Hash;
            }
        }

        return null;
    }

    private static ulong Checksum(ReadOnlySpan<ulong> block, long position) =>
        XxHash3.HashToUInt64(MemoryMarshal.AsBytes(block[..PayloadWords]), position);

    private EventIdEntry[] ReadEntries(int first, int count) =>
        MemoryMarshal.Cast<ulong, EventIdEntry>(ReadWords(HeaderWords + (first * 2), count * 2)).ToArray();

    private ulong[] ReadWords(int first, int count)
    {
        var words = new ulong[count];
        Span<ulong> block = stackalloc ulong[BlockWords];
        for (int read = 0, length; read < count; read += length)
        {
            var (index, start) = Math.DivRem(first + read, PayloadWords);
            var position = (long)index * BlockWords * sizeof(ulong);
            var bytes = MemoryMarshal.AsBytes(block);
            if (RandomAccess.Read(_file, bytes, position) != bytes.Length || block[PayloadWords] != Checksum(block, position))
            {
                throw new InvalidDataException($"The block at {position} of an .ids file is damaged");
            }

            length = Math.Min(count - read, PayloadWords - start);
            block.Slice(start, length).CopyTo(words.AsSpan(read));
        }

        return words;
    }

    private readonly record struct Header(
        ulong Magic, ulong Seed, RecordStamp Record, ulong TextInode, long TextLength, long Entries);
}

/// <summary>Equal stamps mean an unchanged record. On macOS the inode is not read.</summary>
internal readonly record struct RecordStamp(ulong Inode, long Length, long ModifiedAt)
{
    /// <summary>The stamp of a record, or of the compressed one.</summary>
    public static RecordStamp? Read(string record) => DayFile.Find(record) is { } path ? Of(path) : null;

    /// <summary>The stamp of a file; <c>null</c> if it does not exist.</summary>
    public static RecordStamp? Of(string path) =>
        Posix.Stat(path) is { } file ? new(file.Inode, file.Length, File.GetLastWriteTimeUtc(path).Ticks) : null;
}
