namespace LoggingService.Logging;

/// <summary>The ids of all log messages, unique, a block for each folder. Ids are stable: a retired one is not reused.</summary>
internal static class EventIds
{
    // Cli, Demo and startup: 100 to 199.
    public const int ConfigurationWarning = 100;
    public const int Listening = 101;
    public const int WritingLogs = 102;
    public const int ServiceStopped = 103;
    public const int TimeZoneUnknown = 104;
    public const int Limits = 105;
    public const int SettingsReloaded = 106;
    public const int RestartNeeded = 107;
    public const int SettingsNotReloaded = 108;

    // Registration: 200 to 299.
    public const int RotationEnded = 200;
    public const int PreviousTokensNotRemoved = 201;

    // Http: 300 to 399.
    public const int RequestFailed = 300;
    public const int TokenRejected = 301;

    // Transactions: 400 to 499.
    public const int TransactionRejected = 400;
    public const int Quarantined = 402;
    public const int AppendFailed = 403;
    public const int AppendRecovered = 404;
    public const int AdmissionClosed = 405;
    public const int AdmissionOpened = 406;
    public const int PingFailed = 407;

    // RoomLogs and Files: 500 to 569.
    public const int CheckpointFailed = 500;
    public const int CheckpointSucceededAgain = 501;
    public const int JournalReplayCompleted = 504;
    public const int JournalDamaged = 505;
    public const int RoomFilesChanged = 507;
    public const int IncompleteLineMoved = 508;
    public const int TextMovedAside = 509;
    public const int RenderFailed = 510;
    public const int LatestLinkFailed = 511;
    public const int OldDaysRemoved = 512;
    public const int OldDaysNotRemoved = 513;
    public const int RoomActivityDropped = 514;
    public const int RoomParked = 515;
    public const int RoomUnparked = 516;
    public const int RoomSlow = 517;
    public const int DiskFailing = 518;
    public const int DiskRecovered = 519;
    public const int LogDirectoryMoved = 520;
    public const int LogDirectoryRestored = 521;
    public const int LogDirectoryNotRestored = 522;
    public const int LogDirectoryLost = 523;
    public const int SpaceLow = 524;
    public const int SpaceCheckFailed = 525;
    public const int DaysCompressed = 526;
    public const int DaysNotCompressed = 527;
    public const int RoomPropertiesNotKept = 528;
    public const int RoomRetentionNotRead = 529;

    // Erasure: 570 to 579.
    public const int EventsErased = 570;
    public const int ErasureFailed = 571;
    public const int RedactionNotErased = 572;

    // Upgrade: 590 to 599.
    public const int JournalUpgraded = 590;

    // Rooms: 600 to 649. Those of links and names are logged by RoomLogs.
    public const int AliasLinked = 600;
    public const int AliasLinkFailed = 601;
    public const int AliasQueryFailed = 602;
    public const int AliasPatternTimedOut = 603;
    public const int RoomNamed = 604;
    public const int LoggingStopped = 605;
    public const int LoggingResumed = 606;
    public const int RoomLeft = 607;
    public const int RoomWithoutAlias = 608;
    public const int RoomCreated = 610;
    public const int RoomCreationFailed = 611;
    public const int RoomCreationTimedOut = 612;
    public const int RoomLimitReached = 613;
    public const int AliasAlreadyTaken = 614;
    public const int CanonicalAliasFailed = 615;
    public const int AliasRefused = 616;
    public const int RoomNotLeft = 617;
    public const int AliasUnlinked = 618;
    public const int AliasNotUnlinked = 619;
    public const int AliasNoteFailed = 620;
    public const int InvitationAccepted = 621;
    public const int InvitationDeclined = 622;
    public const int InvitationIgnored = 623;
    public const int InvitationFailed = 624;
    public const int RoomEncrypted = 625;
    public const int NoticeFailed = 626;
    public const int ServiceRemoved = 627;
    public const int UpgradeFollowed = 628;
    public const int ReplacementNotJoined = 629;
    public const int ReplacementRefused = 630;
    public const int AliasMoved = 631;
    public const int AliasNotMoved = 632;
    public const int UpgradeLinkFailed = 633;
    public const int LoggedRoomJoined = 634;
    public const int LoggedRoomNotJoined = 635;
    public const int FirstStateNotRead = 636;

    // Consent: 650 to 699.
    public const int RoomTold = 650;
    public const int NoticeRefused = 651;
    public const int WishesApplied = 652;
    public const int WishesRefused = 653;
    public const int StatusNotSent = 654;
    public const int NoticeRecordNotRead = 655;

    // Homeserver: 700 to 799.
    public const int CheckPassed = 710;
    public const int CheckFailed = 711;
    public const int CheckPending = 712;
    public const int HomeserverConnected = 713;
    public const int HomeserverPartlyChecked = 714;

    // Logging: 800 to 899.
    public const int SerilogSectionIgnored = 800;

    // Admin: 900 to 949.
    public const int AdminListening = 900;
    public const int AdminIsPublic = 901;
    public const int AdminNotListening = 902;

    // History: 960 to 979.
    public const int GapFetched = 960;
    public const int GapCheckFailed = 961;
    public const int BackfillStarted = 962;
    public const int BackfillEnded = 963;
    public const int BackfillFailed = 964;
    public const int BackfillInterrupted = 965;

    // Search: 980 to 989.
    public const int IndexBuilt = 980;
    public const int IndexDamaged = 981;
    public const int IndexRebuilding = 982;
    public const int IndexFailed = 983;
    public const int RecordNotIndexed = 984;

    // Systemd: 950 to 959.
    public const int Stalled = 950;
    public const int Progressing = 951;
    public const int NotificationFailed = 952;

    // Visibility and Pages: 1000 to 1049.
    public const int RoomNotRead = 1000;
    public const int PageFailed = 1001;
    public const int PageBug = 1002;
    public const int PagesListening = 1003;
    public const int PagesOutput = 1004;
    public const int PagesEnded = 1005;
    public const int PagesNotStarted = 1006;
    public const int HiddenNotRead = 1007;
    public const int VisibilityBug = 1008;
    public const int LiveBug = 1009;
}
