namespace LoraFhe;

/// <summary>The ids of all log messages: 1000 training, 2000 hybrid execution, 3000 hints, 4000 files; a server's will follow at 5000 and 6000.</summary>
/// <remarks>An id is never used again for another message: a message that goes keeps its line here.</remarks>
internal static class EventIds
{
    public const int SessionStarted = 1000;
    public const int CompilationComplete = 1001;
    public const int Step = 1002;
    public const int GradientMagnitude = 1003;
    public const int EvaluationStarted = 1004;
    public const int Evaluation = 1005;
    public const int NoEvaluation = 1006;
    public const int EpochCompleted = 1007;
    public const int TrainingCompleted = 1008;
    public const int NothingToTrain = 1009;
    public const int TrainingStopped = 1010;
    public const int LoraLayersDetected = 1011;
    public const int MasksThatHidPadding = 1012;
    public const int TrainingFailed = 1030;

    public const int RowsScaledDown = 2000;
    public const int LayersNotCalled = 2001;
    public const int KernelRejected = 2002;

    public const int CheckpointSaved = 4000;
    public const int CheckpointLoaded = 4001;
    public const int ModelSaved = 4002;
    public const int ModelLoaded = 4003;
    public const int CheckpointSetAside = 4030;
    public const int UnmatchedTarget = 4100;
    public const int UnknownAdapterOptions = 4101;
    public const int ActiveAdapterDeleted = 4102;
    public const int TrainedBiasesStay = 4103;
    public const int AlreadyMerged = 4104;
    public const int MergedOnTop = 4105;
    public const int NothingToUnmerge = 4106;
    public const int UnmergedFirst = 4107;
    public const int UnmatchedModuleToSave = 4108;
    public const int BiasNotMergeable = 4109;
    public const int TiedWeightAdapted = 4110;
    public const int TiedWeightCopied = 4111;
}
