using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Segments as a crash, a disk or a member of a room may leave them: a start logs each acknowledged event, and nothing else.
/// </summary>
public sealed class DamagedJournalTests : IDisposable
{
    private const int Block = JournalFrame.Block;
    private readonly Random _random = new(20261126);
    private readonly TempFolder _folder = TempFolder.ForCaller(test: "journal");
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task A_frame_that_is_torn_at_the_end_is_ignored_and_the_resend_is_logged_once()
    {
        var rounds = Trial.Scale(20, 500);
        for (var round = 0; round < rounds; round++)
        {
            var logs = _folder[$"end{round}"];
            var ids = await WriteAsync(logs, 4, length: 10_000);
            var segment = Segment(logs, 1);
            var original = File.ReadAllBytes(segment);
            var bytes = original.ToArray();
            var last = StartOf(bytes, 4);
            var from = last + _random.Next(bytes.Length - last);
            if (_random.Next(2) == 0)
                bytes.AsSpan(from, Math.Min(bytes.Length - from, 1 + _random.Next(2 * Block))).Clear();
            else
                bytes = bytes[..from];
            bytes = [.. bytes, .. new byte[_random.Next(3) * Block]];
            File.WriteAllBytes(segment, bytes);
            var isWhole = bytes.AsSpan(last).StartsWith(original.AsSpan(last));

            await StartAsync(logs);
            Assert.Equal(isWhole ? ids : ids[..3], LogFolder.EventIds(logs, _room));
            Assert.False(Directory.Exists(Path.Combine(logs, ".quarantine")), "An unacknowledged frame is no damage");
            await StartAsync(logs, ids[3..]);
            Assert.Equal(ids, LogFolder.EventIds(logs, _room));
        }

        Trial.Report("journal", "last frame torn: cut or zeros, anywhere", rounds, rounds * 4L, 0, 0);
    }

    [Fact]
    public async Task A_frame_that_is_damaged_in_the_middle_goes_to_the_quarantine_and_the_others_are_logged()
    {
        var rounds = Trial.Scale(20, 500);
        for (var round = 0; round < rounds; round++)
        {
            var logs = _folder[$"middle{round}"];
            var ids = await WriteAsync(logs, 5, length: _random.Next(10_000));
            var segment = Segment(logs, 1);
            var bytes = File.ReadAllBytes(segment);
            var damaged = 1 + _random.Next(4);
            var start = StartOf(bytes, damaged);
            var length = JournalFrame.HeaderLength + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(start));
            bytes[start + _random.Next(length)] ^= (byte)(1 << _random.Next(8));
            File.WriteAllBytes(segment, bytes);

            await StartAsync(logs);
            Assert.Equal(ids.Where((_, i) => i != damaged - 1), LogFolder.EventIds(logs, _room));
            var kept = Assert.Single(Directory.GetFiles(Path.Combine(logs, ".quarantine"), "*.bin"));
            Assert.Equal(bytes.AsSpan(start, length).TrimEnd((byte)0).ToArray(), File.ReadAllBytes(kept));
            await StartAsync(logs, ids[(damaged - 1)..]);
            Assert.Equal(ids.Order(), LogFolder.EventIds(logs, _room).Order());
        }

        Trial.Report("journal", "one bit flipped in a frame before the last, then resent", rounds, rounds * 5L, 0, 0);
    }

    [Fact]
    public async Task Old_frames_in_a_recycled_segment_are_not_logged()
    {
        // The first use of the file, with higher sequences than the second: only the salt tells them apart.
        var old = await WriteAsync(_folder["old"], 8);
        var logs = _folder["logs"];
        var ids = await WriteAsync(logs, 3);
        var bytes = File.ReadAllBytes(Segment(logs, 1));
        var end = (int)JournalFrame.AlignUp(bytes.Length);
        var before = File.ReadAllBytes(Segment(_folder["old"], 1));
        File.WriteAllBytes(Segment(logs, 1), [.. bytes, .. new byte[end - bytes.Length], .. before[end..]]);
        Assert.Equal(8, StartsOf(File.ReadAllBytes(Segment(logs, 1))).Count());

        await StartAsync(logs);
        Assert.Equal(ids, LogFolder.EventIds(logs, _room));
        Assert.Empty(ids.Intersect(old));
        Trial.Report("journal", "old frames in a recycled segment", 1, ids.Count, 0, 0);
    }

    [Theory]
    [InlineData("renamed, and the new header is lost")]
    [InlineData("renamed, and zeros")]
    [InlineData("not renamed back")]
    public async Task A_spare_segment_as_a_power_cut_leaves_it_is_not_logged(string state)
    {
        var old = await WriteAsync(_folder["old"], 2);
        var logs = _folder["logs"];
        var ids = await WriteAsync(logs, 3);
        var spare = File.ReadAllBytes(Segment(_folder["old"], 1));
        if (state == "renamed, and zeros")
            spare.AsSpan().Clear();
        File.WriteAllBytes(state == "not renamed back" ? LogFolder.Spare(logs) : Segment(logs, 2), spare);

        await StartAsync(logs);
        Assert.Equal(ids, LogFolder.EventIds(logs, _room));
        Assert.Empty(ids.Intersect(old));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(logs, ".journal")));
        Trial.Report("journal", $"spare segment after a power cut: {state}", 1, ids.Count, 0, 0);
    }

    [Fact]
    public async Task A_dropped_segment_that_a_power_cut_restores_logs_nothing_twice()
    {
        var logs = _folder["logs"];
        var first = await WriteAsync(logs, 3);
        var dropped = File.ReadAllBytes(Segment(logs, 1));
        var second = await StartAsync(logs, newEvents: 2);
        await StartAsync(logs, newEvents: 0);
        File.WriteAllBytes(Segment(logs, 1), dropped);

        var third = await StartAsync(logs, newEvents: 1);
        Assert.Equal(first.Concat(second).Concat(third).Order(), LogFolder.EventIds(logs, _room).Order());
        Trial.Report("journal", "a dropped segment that a power cut restores", 1, first.Count + second.Count + third.Count, 0, 0);
    }

    [Fact]
    public async Task A_commit_after_the_stop_fails_and_leaves_no_segment_to_the_next_process()
    {
        var logs = _folder["logs"];
        Directory.CreateDirectory(logs);
        var journal = new WriteAheadJournal(logs, TimeProvider.System);
        journal.Dispose();
        await Assert.ThrowsAsync<IOException>(() => journal.AppendAsync([Entry(Some.Message(_room))]));
        Assert.Empty(LogFolder.Segments(logs));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_frame_that_is_forged_inside_an_unloggable_body_is_not_logged(bool knowsSalt)
    {
        var logs = _folder["logs"];
        var path = Segment(logs, 1);
        Directory.CreateDirectory(logs);
        using (var journal = new WriteAheadJournal(logs, TimeProvider.System))
        {
            await journal.AppendAsync([Entry(Some.Message(_room, eventId: "$before"))]);
            var salt = BinaryPrimitives.ReadUInt64LittleEndian(File.ReadAllBytes(path).AsSpan(16));
            var forged = Forge(knowsSalt ? salt : 0, sequence: 1_000);

            // One in each block, whatever the offset of the body in the file.
            var body = new byte[64 * Block];
            await journal.AppendAsync([new(JournalEntryKind.Unloggable, 0, default, body) { Reason = "not JSON" }]);
            await journal.AppendAsync([Entry(Some.Message(_room, eventId: "$after"))]);
            var bytes = File.ReadAllBytes(path);
            var frame = StartOf(bytes, 2);
            for (var offset = frame + Block; offset < frame + (63 * Block); offset += Block)
                forged.CopyTo(bytes, offset);

            // The frame's own header is damaged: the reader looks for the next frame inside of it.
            bytes[frame + 20] ^= 1;
            File.WriteAllBytes(path, bytes);
        }

        await StartAsync(logs);

        // The salt is the only protection: with it, the forged frame is read, and hides the later frame with its high sequence.
        Assert.Equal(knowsSalt ? ["$before", "$forged"] : ["$before", "$after"], LogFolder.EventIds(logs, _room));
        if (!knowsSalt)
        {
            Trial.Report("journal", "frames forged inside a message, in each block", 1, 2, 0, 0);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    private static JournalEntry Entry(string json) => new(JournalEntryKind.Event, 0, default, Encoding.UTF8.GetBytes(json));

    private static string Segment(string logs, int number) => Path.Combine(logs, ".journal", $"{number:D6}");

    private static int StartOf(byte[] segment, int frame) => StartsOf(segment).ElementAt(frame - 1);

    private static IEnumerable<int> StartsOf(byte[] segment)
    {
        for (var offset = Block; JournalFrame.TryReadHeader(segment.AsSpan(Math.Min(offset, segment.Length)), out var length, out _);)
        {
            yield return offset;
            offset = (int)JournalFrame.AlignUp(offset + JournalFrame.HeaderLength + length);
        }
    }

    private byte[] Forge(ulong salt, long sequence)
    {
        var buffer = new ArrayBufferWriter<byte>();
        JournalFrame.Begin(buffer);
        var entry = Entry(Some.Message(_room, eventId: "$forged"));
        entry.Stamp(DateTimeOffset.Now);
        entry.Write(buffer);
        return JournalFrame.End(buffer, sequence, salt).ToArray();
    }

    /// <summary>Leaves frames of one event each in the journal, as a kill does; returns the events' ids.</summary>
    private async Task<List<string>> WriteAsync(string logs, int frames, int length = 100)
    {
        var ids = new List<string>();
        Directory.CreateDirectory(logs);
        using (var journal = new WriteAheadJournal(logs, TimeProvider.System))
        {
            for (var i = 0; i < frames; i++)
            {
                ids.Add(Some.EventId());
                await journal.AppendAsync([Entry(Some.Message(_room, $"message {new string('x', length)}", ids[^1]))]);
            }
        }

        return ids;
    }

    private Task<List<string>> StartAsync(string logs, int newEvents) =>
        StartAsync(logs, [.. Enumerable.Range(0, newEvents).Select(_ => Some.EventId())]);

    /// <summary>Starts on the journal, logs more events, and stops.</summary>
    private async Task<List<string>> StartAsync(string logs, List<string>? events = null)
    {
        events ??= [];
        using var directory = new LogDirectory(logs, TimeProvider.System, NullLogger<LogDirectory>.Instance);
        directory.Start();
        await directory.CaughtUpAsync();
        foreach (var id in events)
        {
            Assert.True(LoggingService.Transactions.Transaction.TryParse(
                Encoding.UTF8.GetBytes($"{{\"events\":[{Some.Message(_room, "again", id)}]}}"), out var parsed, out _));
            await directory.AppendAsync(parsed.Events, parsed.Unloggable, "1");
        }

        await directory.StopAsync();
        return events;
    }
}
