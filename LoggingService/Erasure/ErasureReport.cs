namespace LoggingService.Erasure;

/// <summary>What an erasure reaches, or has reached.</summary>
internal sealed class ErasureReport
{
    /// <summary>An earlier run of the same request may have erased some lines already.</summary>
    public bool IsRepeated { get; init; }

    public List<DayReport> Days { get; } = [];

    /// <summary>What can't be read, with the reason: it may have what was to be erased.</summary>
    public List<string> NotRead { get; } = [];

    /// <summary>Rooms in which the erasure failed, with the reason: it must be repeated.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>The ids of the rooms in which it failed.</summary>
    public HashSet<string> FailedRooms { get; } = [];

    /// <summary>What is searched in the quarantine: the name in the request, and the ids of the erased events.</summary>
    public HashSet<string> ErasedIds { get; } = [];

    /// <summary>Lines of the quarantine and files of damaged bytes.</summary>
    public int Quarantined { get; set; }

    public int Erased => Days.Sum(day => day.Erased);

    public int Quoting => Days.Sum(day => day.Quoting);

    public int Rooms => Days.Select(day => day.Room).Distinct().Count();
}

/// <param name="Room">The name of the room's folder.</param>
/// <param name="Erased">Lines that are erased.</param>
/// <param name="Quoting">Other lines, which may quote them or mention the user.</param>
internal readonly record struct DayReport(string Room, DateOnly Day, int Erased, int Quoting);
