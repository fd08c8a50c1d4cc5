using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using LoggingService.Http;
using LoggingService.Registration;

namespace LoggingService.Homeserver;

/// <summary>
/// The requests by which a check learns that the homeserver reaches this service, and not another one: a ping, and the query of an alias
/// that does not exist. Their ids are signed with the hs_token, so that a service recognizes those of the command <c>check</c>, which runs
/// in a process of its own and reads from a file in the log directory what has arrived.
/// </summary>
internal sealed class CheckRequests(RegistrationTokens tokens, LoggingServiceOptions options, RequestBodyLimit limit)
{
    private const int RandomLength = 16;
    private const int SignatureLength = 16;
    private const int MaxForeignIds = 16;
    private const string AliasMark = "check-";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path = Path.Combine(options.Logs, ".check");
    private readonly ConcurrentDictionary<string, bool> _ownIds = new();
    private readonly Lock _lock = new();
    private readonly Queue<string> _foreignIds = new();

    /// <summary>Why this process cannot learn what has arrived; <c>null</c> if it can.</summary>
    public string? Obstacle { get; set; }

    public string CreateId()
    {
        var random = RandomNumberGenerator.GetHexString(RandomLength, lowercase: true);
        var id = random + Sign(random);
        _ownIds[id] = false;
        return id;
    }

    /// <summary>An alias that no room has, with the given beginning, such as <c>#logged_</c>.</summary>
    public static RoomAlias CreateAlias(string prefix, string id, string server) => new($"{prefix.TrimStart('#')}{AliasMark}{id}", server);

    /// <summary>Takes a request such as <c>{"transaction_id":"…"}</c> (Application Service API, "Ping").</summary>
    public async Task<IResult> ReceivePingAsync(HttpRequest request)
    {
        using var body = new RequestBody(limit);
        await body.ReadAsync(request);
        if (RawJson.TryParse(body.Bytes, out var json, out _) && json["transaction_id"u8].AsString() is { } id)
        {
            TryReceive(id);
        }

        return MatrixResults.Ok;
    }

    /// <summary>Whether an alias that the homeserver queries is one of a check.</summary>
    public bool TryReceiveAlias(string? text)
    {
        var mark = text?.LastIndexOf(AliasMark, StringComparison.Ordinal) ?? -1;
        return mark >= 0 && TryReceive(text![(mark + AliasMark.Length)..].Split(':')[0]);
    }

    /// <summary>Whether the request with this id has arrived. To be asked once, after the homeserver's response.</summary>
    public bool HasArrived(string id)
    {
        _ownIds.TryRemove(id, out var hasArrived);
        try
        {
            return hasArrived || (File.Exists(_path) && File.ReadLines(_path).Contains(id));
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Removes what the running service wrote for a check.</summary>
    public void Clear()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next check overwrites it.
        }
    }

    private bool TryReceive(string id)
    {
        if (id.Length != RandomLength + SignatureLength
            || !CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(Sign(id[..RandomLength])), Encoding.UTF8.GetBytes(id[RandomLength..])))
        {
            return false;
        }

        if (!_ownIds.TryUpdate(id, true, false))
        {
            WriteForeign(id);
        }

        return true;
    }

    private void WriteForeign(string id)
    {
        lock (_lock)
        {
            _foreignIds.Enqueue(id);
            if (_foreignIds.Count > MaxForeignIds)
            {
                _foreignIds.Dequeue();
            }

            try
            {
                var file = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
                using var writer = new StreamWriter(_path, file);
                writer.Write(string.Join('\n', _foreignIds));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The check reports that its request did not arrive; the service's own work is not affected.
            }
        }
    }

    private string Sign(string random)
    {
        var hash = HMACSHA256.HashData(Encoding.UTF8.GetBytes(tokens.HsToken), Encoding.UTF8.GetBytes($"check {random}"));
        return Convert.ToHexStringLower(hash)[..SignatureLength];
    }
}
