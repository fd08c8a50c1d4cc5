using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using LoggingService.Erasure;
using LoggingService.Files;
using LoggingService.RoomLogs;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Cli;

/// <summary>The command <c>erase</c>: tells what would be erased, asks, and erases, by the running service where there is one.</summary>
internal static class EraseCommand
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command("erase", "Erases an event, all of a user, or a room from the logs, and what other lines quote of it.");
        var eventId = new Option<string>("--event") { Description = "Id of the event", HelpName = "ID" };
        var user = new Option<string>("--user") { Description = "Id of the user, whose events are erased in all rooms", HelpName = "ID" };
        var pseudonym = new Option<bool>("--pseudonym") { Description = "With --user: replace the user's id everywhere, too" };
        var room = new Option<string>("--room") { Description = "Id or alias of the room, whose days are removed", HelpName = "ROOM" };
        var before = new Option<DateOnly?>("--before")
        {
            Description = "With --room: only days before this one",
            HelpName = "DATE",
            CustomParser = ParseDay,
        };
        var yes = new Option<bool>("--yes") { Description = "Don't ask" };
        foreach (var option in (Option[])[eventId, user, pseudonym, room, before, yes])
        {
            command.Add(option);
        }

        SettingOption.AddTo(command, "--logs");
        command.SetAction(async (parsed, _) =>
        {
            var options = readOptions(parsed);
            var root = LogDirectoryPath.Of(options);
            var request = new ErasureRequest
            {
                EventId = parsed.GetValue(eventId),
                User = parsed.GetValue(user),
                Room = parsed.GetValue(room),
                Before = parsed.GetValue(before),
                Pseudonym = parsed.GetValue(pseudonym) ? Pseudonym.Create() : null,
            };
            return await RunAsync(root, Check(root, request), parsed.GetValue(yes), options);
        });
        return command;
    }

    private static DateOnly? ParseDay(System.CommandLine.Parsing.ArgumentResult result)
    {
        if (DateOnly.TryParseExact(result.Tokens[0].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return day;
        }

        result.AddError($"--before needs a day, such as 2026-11-23, not \"{result.Tokens[0].Value}\"");
        return null;
    }

    /// <exception cref="FatalException">The options don't fit together, or there is no such room.</exception>
    private static ErasureRequest Check(string root, ErasureRequest request)
    {
        var error = request switch
        {
            { EventId: null, User: null, Room: null } => "erase needs one of --event, --user and --room",
            { EventId: not null, User: not null } or { EventId: not null, Room: not null } or { User: not null, Room: not null } =>
                "erase takes only one of --event, --user and --room",
            { EventId: not null and not ['$', _, ..] } => "--event needs the id of an event, which begins with $ (quote it for the shell)",
            { User: not null } when !request.User.StartsWith('@') || !request.User.Contains(':') =>
                "--user needs a full user id, such as @alice:example.org",
            { Before: not null, Room: null } => "--before needs --room",
            { Pseudonym: not null, User: null } => "--pseudonym needs --user",
            _ => null,
        };
        if (error is not null)
        {
            throw new ConfigurationException(error);
        }

        if (request.Room is null)
        {
            return request;
        }

        var folder = LogDirectoryPath.OfRoom(root, request.Room);
        var until = request.Before is { } day
            ? new DateTimeOffset(TimeZoneInfo.ConvertTimeToUtc(day.ToDateTime(TimeOnly.MinValue), TimeZoneInfo.Local))
            : DateTimeOffset.UtcNow;
        return request with
        {
            Room = RoomRecords.FindRoomId(Path.Combine(root, folder))
                ?? (request.Room.StartsWith('!') && FolderName.ForRoom(request.Room) == folder ? request.Room : null)
                ?? throw new FatalException($"Neither the name nor a record of {folder} tells which room it is of"),
            Until = until.ToUnixTimeMilliseconds(),
        };
    }

    private static async Task<int> RunAsync(string root, ErasureRequest request, bool isConfirmed, LoggingServiceOptions options)
    {
        if (LogDirectoryLock.IsHeld(root) != false)
        {
            return await RunByServiceAsync(root, request, isConfirmed);
        }

        var time = TimeProvider.System;
        using var logs = new LogDirectory(root, time, NullLogger<LogDirectory>.Instance);
        var roomFiles = new RoomFiles(logs);
        using var updates = new RoomFileUpdates(roomFiles, time, NullLogger<RoomFileUpdates>.Instance);
        ReplayedRoomFiles.Subscribe(logs, roomFiles, updates, options, time);
        logs.Start();
        try
        {
            await ReplayedRoomFiles.CaughtUpAsync(logs, updates);
            var eraser = new Eraser(logs, roomFiles, time, NullLogger<Eraser>.Instance);
            var files = new ErasureFiles(root);
            if (files.ReadRequest() is { } interrupted)
            {
                Console.WriteLine("Finishing an erasure that was interrupted.");
                var isFinished = await EraseAsync(eraser, files, interrupted);
                if (!isFinished || interrupted.IsSameAs(request))
                {
                    return isFinished ? 0 : 1;
                }
            }

            if (!Confirm(root, request, isConfirmed))
            {
                return 1;
            }

            files.WriteRequest(request with { IsResumed = true });
            return await EraseAsync(eraser, files, request) ? 0 : 1;
        }
        finally
        {
            await ReplayedRoomFiles.StopAsync(logs, updates);
        }
    }

    /// <returns>Whether everything was reached. If it failed in a room, the request stays: the same command repeats it.</returns>
    private static async Task<bool> EraseAsync(Eraser eraser, ErasureFiles files, ErasureRequest request)
    {
        var report = await eraser.RunAsync(request);
        var result = ErasureText.Result(report).ToList();
        result.ForEach(Console.WriteLine);
        if (report.Failures.Count == 0)
        {
            files.RemoveRequest();
        }

        return ErasureText.IsComplete(result);
    }

    /// <summary>Leaves the work to the service, and waits for it.</summary>
    private static async Task<int> RunByServiceAsync(string root, ErasureRequest request, bool isConfirmed)
    {
        var files = new ErasureFiles(root);
        if (files.ReadRequest() is not null)
        {
            throw new FatalException("The service is erasing already. Try again later.");
        }

        if (!Confirm(root, request, isConfirmed))
        {
            return 1;
        }

        files.TakeResult();
        files.WriteRequest(request);
        for (var startedAt = Stopwatch.GetTimestamp(); ;)
        {
            await Task.Delay(Poll);
            if (files.TakeResult() is { } result)
            {
                Console.WriteLine(string.Join('\n', result));
                return ErasureText.IsComplete(result) ? 0 : 1;
            }

            if (Stopwatch.GetElapsedTime(startedAt) > StartTimeout && files.ReadRequest() is { IsResumed: false })
            {
                files.RemoveRequest();
                throw new FatalException("The service did not begin within a minute. Its log says why, unless its version is older.");
            }

            if (LogDirectoryLock.IsHeld(root) == false)
            {
                throw new FatalException("The service stopped meanwhile. It finishes the erasure at its next start; or run erase again.");
            }
        }
    }

    /// <summary>Tells what would be erased, and asks unless it was confirmed; false if nothing is to be done.</summary>
    private static bool Confirm(string root, ErasureRequest request, bool isConfirmed)
    {
        var links = new DirectoryInfo(root).GetDirectories().Where(entry => entry.LinkTarget is not null)
            .GroupBy(link => link.LinkTarget!)
            .ToDictionary(links => links.Key, links => $"#{links.First().Name}");
        foreach (var line in ErasureText.Plan(Eraser.Count(root, request), room => links.GetValueOrDefault(room, room)))
        {
            Console.WriteLine(line);
        }

        if (isConfirmed)
        {
            return true;
        }

        Console.Write("Erase them? This can't be undone. [y/N] ");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }
}
